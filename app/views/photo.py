"""Photo: upload one or many files, or take one, and get the same answers as from the video."""

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.look.heat import heat_uri
from app.photo.results import PhotoResult, classify_photo, headings, photo_caption, rows, to_csv
from app.services import services
from app.views import correction, samples, ui, visitor

SOURCES = {"Files": "photo_files", "Camera": "photo_camera"}

shared = services()
settings = shared.settings
state = st.session_state
words = visitor.words()
rules = visitor.rules()
# by upload, so that a rerun classifies nothing twice
cached: dict[str, PhotoResult] = state.setdefault("photos", {})

source = st.segmented_control(
    words("photo_from"),
    list(SOURCES),
    format_func=lambda name: words(SOURCES[name]),
    default="Files",
    required=True,
    label_visibility="collapsed",
    key="photo-from",
)
uploads: Sequence[UploadedFile | samples.Sample]
if source == "Camera":
    shot = st.camera_input(words("photo_take"), label_visibility="collapsed", key="photo-shot")
    uploads = [shot] if shot else []
else:
    uploads = st.file_uploader(  # of any type: a file that is no photo is answered below, with its reason
        words("photo_drop"),
        accept_multiple_files=True,
        max_upload_size=settings.max_photo_mib,
        key="photo-files",
    )

uploads = uploads or samples.chosen()
if len(uploads) > settings.max_photos:
    st.warning(words("photo_too_many", most=settings.max_photos, left=len(uploads) - settings.max_photos))
    uploads = uploads[: settings.max_photos]

waiting = [upload for upload in uploads if upload.file_id not in cached]
progress = st.progress(0.0, words("photo_looking")) if len(waiting) > 1 else None
for number, upload in enumerate(waiting, start=1):
    cached[upload.file_id] = classify_photo(upload.name, upload.getvalue(), shared.classifier, shared.photos.read)
    if progress:
        progress.progress(number / len(waiting), words("photo_looked", done=number, all=len(waiting)))
if progress:
    progress.empty()
for gone in cached.keys() - {upload.file_id for upload in uploads}:
    del cached[gone]

results = [cached[upload.file_id] for upload in uploads]
for result in results:
    if result.error:
        st.html(ui.photo_error(result.name, result.message(words)))

answered = [result for result in results if result.prediction is not None]
said = [
    (upload, result, photo_caption(result.prediction, settings.threshold, rules))
    for upload, result in zip(uploads, results, strict=True)
    if result.prediction is not None
]
st.html(ui.announcement("\n".join(f"{result.name}: {answer.spoken}" for _, result, answer in said)))
if len(results) > 1:
    table = rows(results, settings.threshold, rules)
    named = headings(words) | {label: category.name for label, category in rules.categories.items()}
    columns = {name: st.column_config.Column(label=heading) for name, heading in named.items()}
    columns |= {
        label: st.column_config.NumberColumn(label=category.name, format="%.2f")
        for label, category in rules.categories.items()
    }
    columns["confidence"] = st.column_config.ProgressColumn(
        label=named["confidence"], format="%.2f", min_value=0, max_value=1
    )
    st.dataframe(table, hide_index=True, column_config=columns, placeholder="")
    st.download_button(words("photo_csv"), to_csv(table, words), "whichbin.csv", "text/csv", icon=":material/download:")

heat = bool(answered) and st.toggle(words("photo_heat"), help=words("photo_heat_help"), key="photo-heat")
columns_side_by_side = st.container(key="photos").columns(min(3, max(1, len(answered))), gap="medium")
for number, (upload, result, answer) in enumerate(said):
    assert result.prediction is not None
    bars = ui.probability_bars(result.prediction.probabilities, rules)
    activation = result.prediction.activation
    over = heat_uri(activation) if heat and activation is not None else ""
    card = ui.photo_card(result.name, result.picture_uri, answer, bars, alone=len(answered) == 1, heat_uri=over)
    with columns_side_by_side[number % len(columns_side_by_side)]:
        st.html(card)
        if not isinstance(upload, samples.Sample):
            correction.offer_for_photo(shared, upload, result.prediction, sure=answer.percent is not None)
if all(isinstance(upload, samples.Sample) for upload in uploads):  # also where there are none
    samples.offer(rules)
else:
    correction.privacy(shared)
