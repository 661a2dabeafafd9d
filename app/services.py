"""What all visitors of one process share: settings, classifier, engine and rules. Made once, on first use."""

import functools
from dataclasses import dataclass

from app.bins import Rules, load_rules
from app.settings import Settings, load_settings
from app.stream.engine import Engine
from app.stream.processor import StreamProcessor
from app.stream.verdict import Smoothing
from model import Classifier


@dataclass(frozen=True)
class Services:
    """The shared objects."""

    settings: Settings
    classifier: Classifier
    rules: Rules
    engine: Engine

    def new_processor(self) -> StreamProcessor:
        """A processor for one visitor's stream."""
        smoothing = Smoothing().with_threshold(self.settings.threshold)
        return StreamProcessor(self.engine, self.rules, smoothing, self.classifier.metadata.input_size)


@functools.cache
def services() -> Services:
    """The process's services; the first call loads the model and starts the engine.

    Raises SettingsError, ArtifactError or RulesError, each saying what is wrong with which file.
    """
    settings = load_settings()
    classifier = Classifier.load(settings.path(settings.model))
    rules = load_rules(classifier.labels, settings.path(settings.bins))
    engine = Engine(classifier)
    engine.start()
    return Services(settings, classifier, rules, engine)
