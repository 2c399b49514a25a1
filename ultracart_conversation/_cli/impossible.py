"""What a command cannot do."""


class Impossible(Exception):
    """Why a command cannot be carried out here, in one sentence."""


class Misused(Impossible):
    """What is wrong with the command line, in one sentence."""
