//! What people can do in a story, as data.
use serde::Deserialize;
use std::collections::BTreeMap;

/// One act.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Everything up to being signed in: an account, its address, an authenticator; then a role, or for an applicant the
    /// proof of identity.
    Join {
        /// Role to take up with an invitation.
        #[serde(default)]
        role: String,
    },
    /// Files a form in one go: begins, answers, uploads, sees the fee, steps up, signs, sends.
    FileForm {
        /// Form.
        form: String,
        /// The fee to be seen, in cents.
        cents: i64,
        /// Answers; in a story's file they may stand in a file beside it.
        answers: toml::Table,
        /// Kind from the checklist → files beside the story.
        #[serde(default)]
        evidence: BTreeMap<String, Vec<String>>,
        /// As whom it is signed; oneself when empty.
        #[serde(default)]
        capacity: String,
    },
    /// Begins the rejected filing again: what was answered and attached is there.
    BeginAgain {
        /// Files that must be there.
        files: usize,
    },
    /// Withdraws the case.
    Withdraw {},
    /// The register of persons comes to know somebody plainly invented (the sandbox plays the register).
    BeKnownToTheRegister {},
    /// Opens an account.
    Register {},
    /// Types the code from the mail.
    ConfirmEmail {
        /// Types another code instead.
        #[serde(default)]
        wrong: bool,
    },
    /// Sets up an authenticator app.
    SetUpTotp {},
    /// Signs in.
    SignIn {
        /// With another password.
        #[serde(default)]
        wrong_password: bool,
    },
    /// Puts a new authenticator app in the place of the one that is lost, with the next recovery code.
    ReplaceApp {},
    /// Has another e-mail address for the account, with the code from the mail there; gives the second factor before. Signs in with it from
    /// then on, and no more with the one before.
    ChangeEmail {},
    /// Has texts to the own phone on, with the code from the text there; gives the second factor before.
    HaveTexts {},
    /// Answers a text, and sees what that does.
    AnswerText {
        /// What is answered, for example `STOP`.
        body: String,
        /// What texts are then: `on`, `stopped`.
        state: String,
    },
    /// Gives the second factor again.
    StepUp {},
    /// Signs out: the session can be renewed no more.
    SignOut {},
    /// Takes up a role with an invitation.
    TakeRole { role: String },
    /// Proves identity with name, date of birth and A-number.
    ProveIdentity {
        /// Gives another A-number.
        #[serde(default)]
        wrong_a_number: bool,
    },
    /// Begins a form.
    StartForm {
        /// Form.
        form: String,
        /// As the representative of this person; for oneself when empty.
        #[serde(default)]
        of: String,
        /// In the package of a filing that was kept under this name; alone when empty.
        #[serde(default)]
        with: String,
    },
    /// Asks for a representative for the filing at hand, and gets the code to hand over.
    AppointRepresentative {},
    /// Enters an appearance on Form G-28.
    PrepareRepresentation {
        /// The client, a person of the story, who gets the code.
        of: String,
        /// The representative's answers.
        answers: toml::Table,
        /// With the code that the client handed over, for the one filing.
        #[serde(default)]
        asked: bool,
    },
    /// Sees how the own representations stand.
    SeeRepresentations {
        /// Their states, newest first.
        states: Vec<String>,
    },
    /// Looks at the appearance made for oneself, and consents.
    AcceptRepresentation {
        /// The client's answers.
        answers: toml::Table,
    },
    /// Refuses the appearance made for oneself.
    RefuseRepresentation {},
    /// Says anew, as the client, where papers go.
    ChangeWishes {
        /// The originals of notices are the representative's.
        notices_to_representative: bool,
        /// Cards are mailed to the representative.
        cards_to_representative: bool,
    },
    /// Ends the own representation, as the client.
    EndRepresentation {},
    /// Refuses, as the office, the appearance that stands for the case at hand.
    RefuseAppearance {
        /// Why.
        reason: String,
    },
    /// Ends, as the office, all appearances of somebody who may no longer represent.
    EndAppearances {
        /// Whose.
        of: String,
        /// Why.
        reason: String,
        /// How many that are.
        ended: usize,
    },
    /// Lets somebody represent again, as the office.
    ReinstateRepresentative {
        /// Whom.
        of: String,
    },
    /// Asks the client to look at the filing.
    AskReview {},
    /// Gives the filing back to the representative.
    ReturnFiling {
        /// What is to be corrected.
        remark: String,
    },
    /// Sees what the client wants corrected.
    SeeRemark {
        /// Words of it.
        words: String,
    },
    /// Reads the text and approves it.
    ApproveFiling {},
    /// Withdraws as representative.
    WithdrawRepresentation {
        /// The client.
        of: String,
    },
    /// Opens a live watch of the case and keeps it open.
    WatchCase {},
    /// Sees that the open watch ends and nothing of the case is there any more, within five seconds.
    SeeNothing {},
    /// Answers questions.
    Answer {
        /// Question id → answer.
        answers: toml::Table,
        /// Rules that must speak up.
        #[serde(default)]
        finds: Vec<String>,
        /// Rules that must be silent now.
        #[serde(default)]
        silent: Vec<String>,
    },
    /// Uploads a file as evidence.
    Upload {
        /// Kind from the checklist, or the item of the request.
        kind: String,
        /// File beside the story.
        file: String,
        /// To the answer to the open request, which is not sent by that.
        #[serde(default)]
        in_answer: bool,
    },
    /// Takes the last file of a kind off again.
    RemoveEvidence {
        /// Kind from the checklist, or the item of the request.
        kind: String,
        /// From the answer to the open request.
        #[serde(default)]
        in_answer: bool,
    },
    /// Says why evidence of a kind cannot be provided, and sees that it no longer stops the signature, or is no longer open in
    /// the answer; without an explanation, takes that back.
    ExplainMissingEvidence {
        /// Kind from the checklist, or the item of the request.
        kind: String,
        /// Why.
        #[serde(default)]
        explanation: String,
        /// In the answer to the open request.
        #[serde(default)]
        in_answer: bool,
    },
    /// Adds a file to the accepted case at hand without being asked, and sees it there.
    AddEvidence {
        /// Kind from the checklist, or `other`.
        kind: String,
        /// File beside the story.
        file: String,
    },
    /// Sees, as an officer, how many files were added unasked since an officer last acted on the case.
    SeeNewEvidence {
        /// How many.
        files: u32,
    },
    /// Sees the fee and why.
    SeeFee {
        /// Total in cents.
        cents: i64,
    },
    /// Asks the interpreter, preparer or co-signer whom the form names to sign; they get a code.
    AskHelper {
        /// `interpreter`, `preparer` or `co_signer`.
        role: String,
        /// Which of several co-signers.
        #[serde(default)]
        person: u32,
        /// The person of the story to whom the code goes by mail; it is handed over when empty.
        #[serde(default)]
        mail: String,
    },
    /// Takes back that somebody was asked.
    WithdrawHelper {
        /// `interpreter`, `preparer` or `co_signer`.
        role: String,
        /// Which of several co-signers.
        #[serde(default)]
        person: u32,
    },
    /// Asks somebody by mail to file a form together with the filing at hand, from an account of their own.
    AskToFile {
        /// The form.
        form: String,
        /// The person of the story who is asked.
        mail: String,
    },
    /// Reads with the code who asks and for what, and begins that form.
    AcceptToFile {
        /// Words that must stand in what is read.
        #[serde(default)]
        reads: Vec<String>,
    },
    /// Sees whom the filing at hand asked to file a form with it, and how far they are: `form: state`.
    SeeAsked {
        /// All of them, in order.
        asked: Vec<String>,
    },
    /// Takes the code out of the own mail.
    OpenInvitation {},
    /// Sees who signs the filing at hand beside who files it, and how that stands: `name: state`.
    SeeSigners {
        /// All of them, in order.
        signers: Vec<String>,
    },
    /// Reads with the code what is going to be signed, and signs it.
    SignAsHelper {
        /// Types this name; the own one when empty.
        #[serde(default)]
        name: String,
        /// The language in which an interpreter read the form.
        #[serde(default)]
        spoken_language: String,
        /// Words that must stand in what is read.
        #[serde(default)]
        reads: Vec<String>,
        /// Words that must not.
        #[serde(default)]
        reads_not: Vec<String>,
    },
    /// Reads the review and signs it.
    Sign {
        /// Types this name; the proven one when empty.
        #[serde(default)]
        name: String,
        /// As whom; oneself when empty.
        #[serde(default)]
        capacity: String,
        /// Words that must stand in what is signed.
        #[serde(default)]
        reads: Vec<String>,
    },
    /// Sends the signed filing.
    Submit {
        /// Repeats the last submission's request id.
        #[serde(default)]
        again: bool,
    },
    /// Pays.
    Pay {
        /// The processor's token.
        method: String,
        /// `paid`, `declined` or `pending`.
        outcome: String,
        /// With the code of the payer, as somebody else.
        #[serde(default)]
        with_code: bool,
    },
    /// Lets somebody else pay: gets a code to hand over.
    InvitePayer {},
    /// Takes the payment back before it is paid: what was sent is a draft again.
    WithdrawPayment {},
    /// Sees how the payment stands, once it stands so.
    SeePayment {
        /// `open`, `processing`, `settled`, `refunded`, `disputed`, `returned`, `cancelled`, `withdrawn`.
        state: String,
        /// With the code of the payer, as somebody else.
        #[serde(default)]
        with_code: bool,
    },
    /// The bank carries a debit out (the sandbox plays the bank).
    BankPays {},
    /// The bank takes the money back, or the cardholder objects (the sandbox plays both).
    PaymentComesBack {},
    /// What the cardholder objected to is decided for the office (the sandbox plays the bank).
    DisputeIsWon {},
    /// Sees, as an officer or the party, what is owed of the case's fee.
    SeeFeeOwed {
        /// In cents; 0 when nothing is.
        cents: i64,
    },
    /// Sees the address of record of the own account, once it is that.
    SeeAddress {
        /// Words of it.
        words: String,
    },
    /// Sees that the open request is due when it was due when it was made, and in the zone of then.
    SeeDueDateStand {
        /// The zone.
        zone: String,
    },
    /// Takes the acceptance back.
    VoidAcceptance {
        /// `payment` or `signature`.
        cause: String,
    },
    /// Waits for the receipt number.
    GetReceiptNumber {},
    /// Finds a notice in the inbox and reads its PDF.
    ReadNotice {
        /// Kind of notice.
        kind: String,
        /// Words that must stand in its PDF.
        #[serde(default)]
        says: Vec<String>,
    },
    /// Finds an alert in the mail.
    GetMail {
        /// Words of its subject.
        subject: String,
    },
    /// Moves an appointment to the next free time.
    MoveAppointment { kind: String, cause: String },
    /// Writes to the office.
    Write { topic: String, text: String },
    /// Answers the last message, as the office.
    AnswerMessage { text: String },
    /// Says that the last message needs no answer, as the office.
    SetMessageAside { cause: String },
    /// Answers the open request with files.
    Respond {
        /// Item → file beside the story.
        files: toml::Table,
    },
    /// Sees that the request can be answered.
    SeeRequest {},
    /// Waits until the request has ended without an answer.
    SeeRequestEnd {
        /// Why it ended.
        cause: String,
    },
    /// Sees, as intake, why a person has to look before the filing is accepted.
    SeeWhyIntakeLooks {
        /// The reasons.
        reasons: Vec<String>,
    },
    /// Opens, as an officer who may, a file that was attached to the filing.
    OpenEvidence {
        /// Kind of evidence.
        kind: String,
    },
    /// Sees who opened the files of the filing at hand.
    SeeAccesses {
        /// Those of the office's people, newest first, as `assigned_officer original`.
        office: Vec<String>,
        /// Whether whoever looks is told which accounts these are.
        #[serde(default)]
        named: bool,
    },
    /// Looks at the first page of a file that was attached to the filing, as a picture.
    ViewEvidence {
        /// Kind of evidence.
        kind: String,
    },
    /// Reads what went in with the filing at hand and opens no case of its own.
    ReadEnclosed {
        /// Its form.
        form: String,
    },
    /// The mail relay takes no mail, until [`Act::MendMail`].
    BreakMail {},
    /// The mail relay takes mail again.
    MendMail {},
    /// Sees that a mail to them waits.
    SeeMailWaiting {},
    /// Stops a service, which stays away until it is started.
    StopService {
        /// Its name, for example `payments`.
        service: String,
    },
    /// Starts a service that was stopped, and waits until it is ready.
    StartService {
        /// Its name.
        service: String,
    },
    /// Sees how far the own filing is, once it is there.
    SeeFiling {
        /// `sent`, `submitted`, `accepted` …
        state: String,
    },
    /// Turns the clock of the whole system just past the open request's deadline; everybody then signs in anew.
    TurnClockPastDeadline {},
    /// Turns the clock of the whole system by so many days; everybody then signs in anew.
    TurnClock {
        /// How many.
        days: i64,
    },
    /// Somebody who does not know it tries the password of this person's account until it is locked, which takes more than an
    /// hour of the system's clock; the others then sign in anew.
    HavePasswordGuessed {},
    /// Signs in with a recovery code, as who lost the authenticator or is locked out.
    SignInWithRecoveryCode {},
    /// Finds events of these kinds in the log of a service, as an operator.
    FindInLog {
        /// Service.
        service: String,
        /// Kinds, for example `filing.draft_expired.v1`.
        kinds: Vec<String>,
    },
    /// Asks, as an operator, that a role be taken away.
    RevokeRole {
        /// Whose, a person of the story.
        from: String,
        /// The role.
        role: String,
        /// Its office.
        office: String,
        /// Why, by code.
        reason: String,
    },
    /// Approves, as another operator, that the role be taken away.
    ApproveRevocation {},
    /// Keeps the case at hand under a name: `{{name.receipt}}` is its receipt number from then on.
    Remember {
        /// The name.
        case: String,
    },
    /// Takes up a case that was kept.
    TurnTo {
        /// The name.
        case: String,
    },
    /// Reopens the case at hand for a granted motion.
    Reopen {
        /// The name under which the motion's case was kept.
        motion: String,
    },
    /// Asks that the fee be waived (I-912), or takes that back.
    AskFeeWaiver {
        /// Question id of the form → answer; none to take it back.
        answers: toml::Table,
    },
    /// Grants or refuses the waiver, as intake.
    DecideFeeWaiver {
        /// Whether it is granted.
        granted: bool,
    },
    /// Accepts the filing, as intake.
    AcceptFiling {},
    /// Rejects the filing, as intake.
    RejectFiling {
        /// Why, by code.
        codes: Vec<String>,
    },
    /// Takes a case or gives it to somebody.
    Assign {
        /// Person of the story.
        to: String,
    },
    /// Begins the review.
    StartReview {},
    /// Sets an appointment on the first open day.
    Schedule { kind: String },
    /// Records that biometrics were captured.
    TakeBiometrics { early: bool },
    /// Records that nobody came to an appointment.
    MissAppointment {
        /// `biometrics`, `interview` or `oath`.
        kind: String,
    },
    /// Records a background check.
    BackgroundCheck { system: String, result: String },
    /// Records interview and tests.
    Interview {
        /// Parts passed.
        passed: Vec<String>,
        early: bool,
    },
    /// Requests evidence.
    RequestEvidence { kind: String, items: Vec<String>, explanation: String },
    /// Sends a notice of intent to deny.
    IntendDenial {
        /// The grounds, to the party.
        grounds: String,
        /// What the party may not know of.
        #[serde(default)]
        derogatory: String,
        /// What is asked for beside the answer to the grounds.
        #[serde(default)]
        items: Vec<String>,
    },
    /// Sends a notice of intent to revoke the approval.
    IntendRevocation {
        /// The grounds, to the party.
        grounds: String,
        /// What the party may not know of.
        #[serde(default)]
        derogatory: String,
        /// What is asked for beside the answer to the grounds.
        #[serde(default)]
        items: Vec<String>,
    },
    /// Lets the approval stand.
    WithdrawRevocationIntent {},
    /// Revokes the approval.
    RevokeApproval {
        /// Codes of the grounds.
        grounds: Vec<String>,
        /// To the party.
        reasons: String,
    },
    /// Records that something ended the approval by the law itself.
    RevokeByLaw {
        /// What happened.
        cause: String,
        /// Of a petition for a relative, for whom it is.
        #[serde(default)]
        relation: String,
        /// The day, ISO 8601.
        happened_on: String,
        /// To the party.
        findings: String,
    },
    /// Holds the case.
    Hold {
        /// Why.
        reason: String,
        /// In so many days it is looked at again.
        days: i64,
    },
    /// Lifts a hold.
    LiftHold {
        /// Why it was held.
        reason: String,
    },
    /// Asks, as the party, that a name or a birth date be corrected.
    AskCorrection {
        /// `name` or `birth_date`.
        field: String,
        /// How it is right.
        value: String,
        /// `office` or `filer`.
        error_of: String,
        /// What shows it.
        proof: String,
        /// What is wrong.
        explanation: String,
    },
    /// Corrects it, or says why not.
    AnswerCorrection {
        /// How it is right; empty where it is refused.
        #[serde(default)]
        value: String,
        /// Why it is refused.
        #[serde(default)]
        reasons: String,
    },
    /// Reopens the case at hand on the office's own motion.
    ReopenOnOwnMotion {
        /// Whether it is to decide for the party.
        favorable: bool,
        /// To the party.
        reasons: String,
    },
    /// Closes the case without a decision.
    CloseAdministratively {
        /// `examination_missed` or `applicant_died`.
        cause: String,
    },
    /// Reopens it, since the applicant asked.
    ReopenClosed {},
    /// Takes the case from its officer.
    Unassign {},
    /// Says that no biometrics appointment is needed.
    DispenseBiometrics {
        /// `reused`, `not_able` or `age`.
        cause: String,
        /// Day of the earlier capture, ISO 8601.
        #[serde(default)]
        captured_on: String,
    },
    /// Records that a capture did not succeed.
    FailCapture {
        /// Why.
        cause: String,
        /// The person came earlier, as agreed.
        #[serde(default)]
        early: bool,
    },
    /// Excuses who did not come.
    ExcuseAbsence {
        /// `biometrics`, `interview` or `oath`.
        kind: String,
        /// Good cause.
        cause: String,
    },
    /// Waives the interview.
    WaiveInterview {
        /// Why.
        criterion: String,
    },
    /// Sends the case to another office.
    Transfer {
        /// Code of the office.
        to: String,
        /// `jurisdiction` or `workload`.
        reason: String,
    },
    /// Recommends.
    Recommend { recommendation: String, grounds: String },
    /// Decides.
    Decide {
        /// `approve`, `deny`, `refer` or `return`.
        decision: String,
        /// Codes of the grounds of a denial or a referral.
        #[serde(default)]
        grounds: Vec<String>,
        /// Findings and reasons of a denial or a referral.
        #[serde(default)]
        reasons: String,
        /// The status of who asks for asylum: `lawful` or `none`.
        #[serde(default)]
        status: String,
        /// Facts that a denial rests on and that the party did not know: `none`, or `told` by a notice of intent.
        #[serde(default)]
        new_facts: String,
    },
    /// Checks again before the oath.
    Reverify {},
    /// Records the oath.
    TakeOath { early: bool },
    /// Orders the card that the approval gives.
    OrderCard {},
    /// Records what happened to the card.
    RecordCard {
        /// `produced`, `mailed`, `delivered`, `returned`, `destroyed`.
        step: String,
        /// Carrier, when it was mailed.
        #[serde(default)]
        carrier: String,
        /// Its number.
        #[serde(default)]
        tracking: String,
        /// Why it came back.
        #[serde(default)]
        cause: String,
    },
    /// Confirms the address of record.
    ConfirmAddress {},
    /// Asks that the case be expedited.
    RequestExpedite {
        /// A published criterion.
        criterion: String,
        /// Why.
        reasons: String,
    },
    /// Sends an inquiry about the case.
    SendInquiry {
        /// Its kind.
        kind: String,
        /// What is asked.
        text: String,
    },
    /// Reads, as a party or an officer, what was asked last in the case and what it was answered.
    ReadInquiries {
        /// Words that stand there.
        words: Vec<String>,
    },
    /// Answers the request to expedite.
    AnswerExpedite {
        /// Whether it is granted.
        granted: bool,
        /// To the party.
        answer: String,
    },
    /// Answers the oldest inquiry that is open.
    AnswerInquiry {
        /// To the party.
        answer: String,
    },
    /// Issues the certificate.
    IssueCertificate { number: String },
    /// Counts at the far side: the processor, the mailbox, the inbox.
    CountAtTheFarSide {
        /// Successful charges for this story's payment.
        charges: u64,
        /// Notices in the applicant's inbox by kind; others must not be there.
        notices: Vec<String>,
        /// Refunds of that payment.
        #[serde(default)]
        refunds: u64,
        /// Mails to the person that tell of notices, of whatever case; not counted when it is not said.
        #[serde(default)]
        mails: Option<usize>,
        /// Texts to the person that tell of notices, sent or held for the night or the next day; not counted when it is not said.
        #[serde(default)]
        texts: Option<usize>,
    },
}

impl Act {
    /// The single acts that an act stands for, when it stands for several. `applicant`: a person who files.
    #[expect(clippy::wildcard_enum_match_arm, reason = "most acts are single ones")]
    pub fn parts(&self, applicant: bool) -> Option<Vec<Self>> {
        match self {
            Self::Join { role } => {
                let mut parts = vec![
                    Self::Register {},
                    Self::ConfirmEmail { wrong: false },
                    Self::SetUpTotp {},
                    Self::SignIn { wrong_password: false },
                ];
                if applicant {
                    parts.insert(0, Self::BeKnownToTheRegister {});
                    parts.push(Self::ProveIdentity { wrong_a_number: false });
                }
                if !role.is_empty() {
                    parts.push(Self::TakeRole { role: role.clone() });
                }
                Some(parts)
            }
            Self::FileForm { form, cents, answers, evidence, capacity } => {
                let mut parts = vec![
                    Self::StartForm { form: form.clone(), of: String::new(), with: String::new() },
                    Self::Answer { answers: answers.clone(), finds: Vec::new(), silent: Vec::new() },
                ];
                for (kind, files) in evidence {
                    let upload = |file: &String| Self::Upload {
                        kind: kind.clone(),
                        file: file.clone(),
                        in_answer: false,
                    };
                    parts.extend(files.iter().map(upload));
                }
                parts.extend([
                    Self::SeeFee { cents: *cents },
                    Self::StepUp {},
                    Self::Sign { name: String::new(), capacity: capacity.clone(), reads: Vec::new() },
                    Self::Submit { again: false },
                ]);
                Some(parts)
            }
            _ => None,
        }
    }
}
