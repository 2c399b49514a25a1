"""Nothing lost, nothing twice, whatever the service does, however passes are interrupted, and wherever it crashes."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.chat_service import Habits
from tests.roster_world import MINUTE, SECOND, World
from ultracart_conversation._sync.track import LATE

HABITS = st.builds(
    Habits,
    inclusive=st.booleans(),
    keeps=st.sampled_from(["oldest", "newest ascending", "newest descending"]),
    counts=st.sampled_from(["true", "no notices, at most 20"]),
    cap=st.sampled_from([200, 200, 12, 5]),
    shared_epochs=st.booleans(),
)
CHATS = [f"c{number}" for number in range(9)]
CHAT, PLACE = st.sampled_from(CHATS), st.integers(-4, -1)
LAG = st.sampled_from([0, 0, 900, 20 * SECOND, 55 * SECOND])


class Polling(RuleBasedStateMachine):
    """The model is the service itself: in the end the store must have what the service has."""

    @initialize(habits=HABITS, old=st.lists(CHAT, max_size=30))
    def begin(self, habits: Habits, old: list[str]) -> None:
        self.world = World(habits)
        self.has_edits = False
        for chat in old:
            self.world.service.write(chat)
            self.world.wait(7 * SECOND)
        self.world.wait(MINUTE)

    @rule(chat=CHAT, back=LAG, lag=LAG, notice=st.booleans())
    def write(self, chat: str, back: int, lag: int, notice: bool) -> None:
        self.world.service.write(chat, back=back, lag=lag, notice=notice)

    @precondition(lambda self: self.world.service.habits.counts == "true" and self.world.roster.shape.counts)
    @rule(chat=CHAT)
    def write_late(self, chat: str) -> None:
        """Later than the overlap reaches, so that only the count tells."""
        self.world.service.write(chat, back=LATE + 10 * SECOND)

    @rule(chat=CHAT, place=PLACE)
    def edit(self, chat: str, place: int) -> None:
        said = self.world.service.chats.get(chat, [])
        if len(said) + place >= 0:
            self.world.service.edit(chat, place, f"edited {self.world.service.now}")
            self.has_edits = True

    @rule(chat=CHAT, place=PLACE)
    def remove(self, chat: str, place: int) -> None:
        said = self.world.service.chats.get(chat, [])
        if len(said) + place > 0:
            self.world.service.remove(chat, place)
            self.has_edits = True

    @rule(milliseconds=st.sampled_from([1, 400, 7 * SECOND, 45 * SECOND, 4 * MINUTE]))
    def wait(self, milliseconds: int) -> None:
        self.world.wait(milliseconds)

    @rule()
    def look(self) -> None:
        self.world.look()

    @precondition(lambda self: self.world.roster.mark is not None)
    @rule(pages=st.integers(1, 4))
    def list_more(self, pages: int) -> None:
        self.world.list_more(pages)

    @rule(most=st.integers(1, 5))
    def read_news(self, most: int) -> None:
        self.world.read_news(most)

    @rule(most=st.integers(1, 5))
    def read_history(self, most: int) -> None:
        self.world.read_history(most)

    @rule(most=st.integers(1, 3))
    def audit(self, most: int) -> None:
        self.world.audit(most)

    @rule(chat=CHAT)
    def hint(self, chat: str) -> None:
        if chat in self.world.service.chats:
            self.world.roster.hint(chat, now=self.world.now, within=2)

    @rule()
    def keep(self) -> None:
        self.world.keep()

    @rule()
    def crash(self) -> None:
        self.world.crash()

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        world.wait(MINUTE)
        world.catch_up()
        assert max(world.store.told.values(), default=1) == 1
        for chat in world.service.chats:
            assert world.there(chat).keys() <= world.store.messages.get(chat, {}).keys(), chat
        world.audit(len(world.roster.positions))
        world.keep()
        for chat in world.service.chats:
            assert world.store.alive(chat) == world.there(chat), chat
        assert max(world.store.told.values(), default=1) == 1
        assert world.roster.backlog == 0


TestPolling = Polling.TestCase
TestPolling.settings = settings(max_examples=300, stateful_step_count=30)
