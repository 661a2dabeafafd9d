"""What all visitors of one process share: settings, classifier, engine, rules and more. Made once, on first use.

This module alone wires the rooms of the app together.
"""

import functools
import logging
from dataclasses import dataclass, field
from pathlib import Path

from app.advice.bins import Rules, load_rules, rules_files
from app.advice.caption import caption
from app.advice.languages import Language, languages
from app.advice.verdict import Smoothing
from app.answers.access import PasswordGate
from app.answers.counts import Counts, DiskError
from app.answers.doubtful import Doubtful, DoubtfulError
from app.kiosk.heartbeat import Heartbeat
from app.network.exporter import serve_metrics
from app.network.ice import IceServers
from app.photo.decoder import PhotoDecoder
from app.settings import ROOT, Settings, SettingsError, load_settings
from app.stream import memory
from app.stream.engine import Engine, usable_cores
from app.stream.metrics import Totals
from app.stream.places import Places
from app.stream.presence import Presence
from app.stream.processor import StreamProcessor
from model import Classifier

log = logging.getLogger(__name__)

# What a visitor's stream takes: measured with `python -m tests.measure.bench`, plus the share of the visitor's page.
CORES_PER_STREAM = 0.4


@dataclass(frozen=True)
class Services:
    """The shared objects.

    Attributes:
        settings: What the operator has set.
        classifier: The model.
        rules: The rules in force, in English.
        engine: Classifies for all streams; it is running.
        places: Admission control: who may stream.
        ice: The STUN and TURN servers for new connections.
        photos: Unpacks photos.
        totals: The figures of all streams, summed up.
        counts: The kiosk's counted answers, and visitors' corrections; None where answers are not counted.
        counts_problem: Why they are not counted although they should be; else empty.
        doubtful: Keeps the pictures of corrected answers; None where they are not kept.
        kiosk: The last sign of life of the kiosk's page.
        gate: Checks passwords for the operator's page.
    """

    settings: Settings
    classifier: Classifier
    rules: Rules
    engine: Engine
    places: Places
    ice: IceServers
    photos: PhotoDecoder
    totals: Totals = field(default_factory=Totals)
    counts: Counts | None = None
    counts_problem: str = ""
    doubtful: Doubtful | None = None
    kiosk: Heartbeat = field(default_factory=Heartbeat)
    gate: PasswordGate = field(default_factory=PasswordGate)

    def new_processor(self) -> StreamProcessor:
        """Make a processor for one visitor's stream."""
        processor = self._processor()
        processor.keeps_picture = self.doubtful is not None
        return processor

    def new_kiosk_processor(self) -> StreamProcessor:
        """Make a processor for a fixed camera whose page draws the answers itself, over the whole screen."""
        processor = self._processor(presence=Presence(), draws=False)
        processor.mirrored = True  # Whoever stands before a kiosk expects a mirror.
        return processor

    def _processor(self, presence: Presence | None = None, draws: bool = True) -> StreamProcessor:
        return StreamProcessor(
            self.engine,
            functools.partial(caption, rules=self.rules),
            Smoothing().with_threshold(self.settings.threshold),
            self.classifier.metadata.input_size,
            totals=self.totals,
            presence=presence,
            draws=draws,
        )

    def rules_in(self, words: Language, name: str | None = None) -> Rules:
        """Load rules in a language, or take them from the cache.

        Args:
            words: The language.
            name: The name of a shipped rules file, from a page's address. Any other name gives the rules in force.

        Raises:
            RulesError: The file has been spoilt since the start.
        """
        path = rules_files().get(name or "") or rules_path(self.settings)
        return _rules(self.classifier.labels, path, words.code)


def rules_path(settings: Settings) -> Path | None:
    """The rules file that the settings name: a shipped one by its name, or any file. None for the default rules."""
    return rules_files().get(settings.bins) or settings.path(settings.bins)


def counts_path(settings: Settings) -> Path:
    """The file of counts that the settings name, or else `counts.sqlite3` in the project's folder."""
    return settings.path(settings.counts_file) or ROOT / "counts.sqlite3"


@functools.cache
def _rules(labels: tuple[str, ...], path: Path | None, code: str) -> Rules:
    return load_rules(labels, path, languages()[code])


def _open_counts(settings: Settings) -> tuple[Counts | None, str]:
    """Open the counts, if answers are to be counted.

    Returns:
        The counts, or None; and why answers are not counted although they should be, or an empty text.

    Raises:
        CountsError: The file is not one of ours. That is a mistake in the settings, which must not pass unseen.
    """
    if not settings.count_answers:
        return None, ""
    try:
        return Counts(counts_path(settings), settings.counts_days), ""
    except DiskError as error:
        log.error("Answers are not counted until the next start: %s", error)
        return None, str(error)


@functools.cache
def services() -> Services:
    """The services of this process. The first call loads the model and starts the engine.

    Each error says what is wrong with which file.

    Raises:
        SettingsError: A setting cannot be used, or the port for the metrics is taken.
        LanguageError: A language file cannot be used.
        ArtifactError: The model cannot be used.
        RulesError: The rules cannot be used.
        CountsError: The file of counts is not one of ours.
    """
    memory.few_heaps()
    settings = load_settings()
    if settings.kiosk_language not in languages():
        allowed = ", ".join(languages())
        raise SettingsError(f"kiosk_language must be one of {allowed}; got {settings.kiosk_language!r}")
    classifier = Classifier.load(settings.path(settings.model))
    rules = load_rules(classifier.labels, rules_path(settings))
    ice = IceServers(settings)
    counts, problem = _open_counts(settings)
    doubtful = None
    if settings.collect_doubtful:
        folder = settings.path(settings.doubtful_folder) or ROOT / "doubtful"
        try:
            doubtful = Doubtful(folder, classifier.metadata.sha256)
        except DoubtfulError as error:
            raise SettingsError(f"doubtful_folder: {error}") from error
    engine = Engine(classifier)
    engine.start()
    most = settings.max_streams or max(1, int(usable_cores() / CORES_PER_STREAM))
    photos = PhotoDecoder(
        settings.max_photo_megapixels * 1_000_000, settings.max_photo_seconds, settings.max_photo_mib * 2**20
    )
    made = Services(
        settings,
        classifier,
        rules,
        engine,
        Places(most),
        ice,
        photos,
        counts=counts,
        counts_problem=problem,
        doubtful=doubtful,
    )
    if settings.metrics_port:
        try:
            serve_metrics(engine, made.totals, settings.metrics_port, settings.metrics_address)
        except (OSError, UnicodeError) as error:
            where = f"{settings.metrics_address}:{settings.metrics_port}"
            raise SettingsError(f"metrics_port: cannot listen on {where} ({error})") from error
    memory.settle()
    return made
