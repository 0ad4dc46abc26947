"""Brings messages to their receivers: in a thread of its own where the sandbox is served, else on `drain()`.

A message is removed once its answer is known: a sandbox that is killed in between sends it again.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from fieldcamp.sandbox.push.queue import Message, Queue
from fieldcamp.sandbox.push.sender import Sender
from fieldcamp.sandbox.push.wire import Wire
from fieldcamp.sandbox.state import State

log = logging.getLogger("fieldcamp.sandbox")

AT_ONCE = 8
LINGER_SECONDS = 0.1  # in which changes gather, so that a post can be about several of them
LONGEST_WAIT = 3600.0
FAILED_SECONDS = 60.0  # after a failure of the sandbox's own


class Courier:
    """Sends what is due. One message of a lane is on its way at a time."""

    def __init__(
        self, state: State, queue: Queue, wire: Wire, senders: Mapping[str, Sender], tick: Callable[[], float | None]
    ) -> None:
        self.state, self.queue, self.wire, self.senders, self._tick = state, queue, wire, senders, tick
        self._woken, self._ending = threading.Event(), threading.Event()
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether messages go out by themselves."""
        return self._thread is not None

    def wake(self) -> None:
        """There may be something to do."""
        self._woken.set()

    def drain(self) -> int:
        """Sends what is due by now, in order, with all further attempts that fall due on the way; how many posts."""
        posts = 0
        while True:
            self._tick()
            taken = self._take()
            if taken is None:
                return posts
            posts += self._send(taken)

    def hurry(self, message: Message) -> None:
        """Sends this one message now, in the caller's thread, unless its lane is busy."""
        with self._lock, self.state.transaction():
            found = self.queue.get(message.n)
            if found is None or _lane(found) in self._busy:
                return
            self._busy.add(_lane(found))
        self._send([found])

    def start(self) -> None:
        """From now on a thread sends what is due."""
        if self._thread is None:
            self._ending.clear()
            self._thread = threading.Thread(target=self._run, name="sandbox-pushes", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """The thread ends; what is on its way is waited for no longer than a vendor waits for an answer."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ending.set()
            self._woken.set()
            thread.join(timeout=15)

    def _run(self) -> None:
        pool = ThreadPoolExecutor(AT_ONCE, "sandbox-push")
        try:
            while not self._ending.is_set():
                self._woken.clear()
                try:
                    wait = self._hand_out(pool)
                except Exception:
                    log.exception("no push could be handed out")
                    wait = FAILED_SECONDS
                self._woken.wait(wait)
                self._ending.wait(LINGER_SECONDS)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _hand_out(self, pool: ThreadPoolExecutor) -> float:
        """Hands out what is due; in how many seconds the next is.

        What is due and was not handed out waits for an answer, for what is before it, or for a pause to end: the first
        and the last wake the thread, the second falls due itself.
        """
        looked_at = self.state.now()
        moments = [looked_at + LONGEST_WAIT, self._tick()]
        while not self._ending.is_set() and (taken := self._take()):
            pool.submit(self._send_and_wake, taken)
        moments.append(self.queue.soonest(looked_at))
        soonest = min(moment for moment in moments if moment is not None)
        return max(0.0, soonest - self.state.now())

    def _take(self) -> list[Message] | None:
        """The messages of the next post; their lane is busy until they are sent."""
        with self._lock, self.state.transaction():
            head = self.queue.ready(sorted(self._busy))
            if head is None:
                return None
            sender = self.senders[head.vendor]
            messages = self.queue.batch(head, sender.most, sender.mixed())
            self._busy.add(_lane(head))
            return messages

    def _send_and_wake(self, messages: list[Message]) -> None:
        try:
            self._send(messages)
        except Exception:
            log.exception("a push could not be sent")
            self.queue.put_off(messages, self.state.now() + FAILED_SECONDS)
        self.wake()

    def _send(self, messages: list[Message]) -> int:
        """Posts them and writes down what became of it; 0 when nobody was there to be told."""
        head = messages[0]
        sender = self.senders[head.vendor]
        try:
            with self.state.transaction():
                post = sender.post(messages)
                if post is None:
                    self.queue.write(messages, "dropped", why="The channel is gone.")
                    self.queue.remove(messages)
                    return 0
            answer = self.wire.post(post)
            # By the ladder's own time: after a leap of the clock its steps are taken one by one, as they were due.
            at = head.due or 0.0
            with self.state.transaction():
                sender.answered(messages, answer)
                if sender.accepts(answer):
                    due = None
                    self.queue.write(messages, "delivered", post, answer, at=at)
                    self.queue.remove(messages)
                else:
                    again = sender.again(messages, answer, at)
                    due = None if again is None else at + again
                    self.queue.write(messages, "lost" if due is None else "retry", post, answer, due, at=at)
                    if due is None:
                        self.queue.remove(messages)
                    else:
                        self.queue.put_off(messages, due)
                if head.blocking:
                    self.queue.follow(head.vendor, head.lane, at)
                    if due is not None and not head.attempts:
                        self.queue.write_held(head, due)
            return 1
        finally:
            with self._lock:
                self._busy.discard(_lane(head))


def _lane(message: Message) -> str:
    return f"{message.vendor} {message.lane}"
