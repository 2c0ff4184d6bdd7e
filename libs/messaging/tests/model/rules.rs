//! The rules by which the real code is safe. The model can break one to show that it is needed.

/// One rule, with the function which keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Positions are given while the head's row is locked (`commit::lock`). Broken: a sequence gives them.
    HeadLock,
    /// Streams and commands are read after the lock was taken (`commit::look`). Broken: before.
    LookUnderLock,
    /// A known command writes nothing (`Round::decide`).
    CommandLookup,
    /// The command is remembered in the transaction of its events (`write::write`). Broken: in the next one.
    CommandWithEvents,
    /// A stale version is refused (`Round::conflict`).
    ExpectedVersion,
    /// The statement that writes by itself insists on the count of commits it was decided on (`write::write`).
    StatementNamesCommits,
    /// It insists that its command was not done before (`write::write`).
    StatementNamesCommand,
    /// It insists that streams taken to be new are (`Memory::recall`, `write::write`).
    StatementNamesNewStream,
    /// Nothing is remembered under the lock but what that round has looked at (`Task::write`).
    ForgetUnderLock,
    /// Nothing is remembered past a commit without an answer (`Task::resolve`). Broken: it is taken for done.
    ForgetInDoubt,
    /// After a commit without an answer the log is asked (`Task::resolve`). Broken: it is taken for not done.
    AskInDoubt,
    /// Before it is asked the door is closed on what was sent: the count of commits is raised (`Doubt::ask`).
    CloseTheDoor,
    /// A publication names the sequence before it (`relay::message`).
    ExpectedLastSequence,
    /// A relay which was refused or is idle asks the stream again where it ends (`Relay::resume`).
    ResumeFromStream,
    /// The checkpoint moves in the transaction of the effect (`Lane::once`). Broken: in the next one.
    CheckpointWithEffect,
    /// The checkpoint moves only from where this consumer believes it to be (`checkpoint::advance`).
    CompareAndSet,
    /// What was handed out or applied before is only acknowledged (`Source::one`, `Lane::event`).
    OldIgnored,
    /// What is missing before a message is fetched from the log (`Order::fill`).
    GapsFilled,
    /// What the broker handed to somebody else is fetched from the log (`Order::catch_up`).
    CatchUp,
    /// A lane works on one thing at a time, in order (`Lane::run`).
    LaneInOrder,
    /// "Nothing remains up to here" waits its turn in the lane (`Order::pass`).
    PassInTurn,
}
