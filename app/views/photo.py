"""Photo: upload one or many files, or take one, and get the same answers as from the video."""

import streamlit as st

from app.look.heat import heat_uri
from app.photo.results import PhotoResult, classify_photo, photo_caption, rows, to_csv
from app.services import services
from app.views import ui
from model.photos import EXTENSIONS

shared = services()
settings = shared.settings
state = st.session_state
cached: dict[str, PhotoResult] = state.setdefault(
    "photos", {}
)  # by upload id, so that a rerun classifies nothing twice

source = st.segmented_control(
    "Photo from", ["Files", "Camera"], default="Files", required=True, label_visibility="collapsed"
)
if source == "Camera":
    shot = st.camera_input("Take a photo of one item", label_visibility="collapsed")
    uploads = [shot] if shot else []
else:
    uploads = st.file_uploader(
        "Drop photos of one item each: JPEG, PNG, WebP, BMP, GIF or HEIC",
        type=list(EXTENSIONS),
        accept_multiple_files=True,
        max_upload_size=settings.max_photo_mib,
    )

if len(uploads) > settings.max_photos:
    left_out = len(uploads) - settings.max_photos
    st.warning(f"{settings.max_photos} photos at once are the most: the last {left_out} are left out.")
    uploads = uploads[: settings.max_photos]

waiting = [upload for upload in uploads if upload.file_id not in cached]
progress = st.progress(0.0, "Looking at the photos") if len(waiting) > 1 else None
for number, upload in enumerate(waiting, start=1):
    cached[upload.file_id] = classify_photo(upload.name, upload.getvalue(), shared.classifier, shared.photos.read)
    if progress:
        progress.progress(number / len(waiting), f"Looked at {number} of {len(waiting)} photos")
if progress:
    progress.empty()
for gone in cached.keys() - {upload.file_id for upload in uploads}:
    del cached[gone]

results = [cached[upload.file_id] for upload in uploads]
for result in results:
    if result.message:
        st.html(ui.photo_error(result.name, result.message))

answered = [result for result in results if result.prediction is not None]
if len(results) > 1:
    table = rows(results, settings.threshold, shared.rules)
    share = st.column_config.NumberColumn(format="%.2f")
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "confidence": st.column_config.ProgressColumn(format="%.2f", min_value=0, max_value=1),
            **dict.fromkeys(shared.rules.categories, share),
        },
    )
    st.download_button("Download results (CSV)", to_csv(table), "whichbin.csv", "text/csv", icon=":material/download:")

heat = bool(answered) and st.toggle(
    "Show where it looked", help="The brighter a place, the more it spoke for the likeliest answer."
)
columns = st.columns(min(3, max(1, len(answered))), gap="medium")
for number, result in enumerate(answered):
    assert result.prediction is not None
    words = photo_caption(result.prediction, settings.threshold, shared.rules)
    bars = ui.probability_bars(result.prediction.probabilities, shared.rules)
    activation = result.prediction.activation
    over = heat_uri(activation) if heat and activation is not None else ""
    card = ui.photo_card(result.name, result.picture_uri, words, bars, alone=len(answered) == 1, heat_uri=over)
    columns[number % len(columns)].html(card)
