//! Who is asked to file a form in the package of somebody else, from an account of their own, such as a joint sponsor
//! (INA 213A(f)(5)(A)): asked with a code, which they accept or decline; until it went in either side may do without.

use docket_kernel::Refusal;
use docket_proto::events::package::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::{Added, MOST_FILINGS, Package, add, sent, too_many};
use crate::domain::id;

/// Most invitations of one package, those that are over included.
const MOST_INVITATIONS: usize = 30;
/// Longest name of who is asked, in characters.
const LONGEST_NAME: usize = 200;

/// Somebody who was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The filing of whoever asks.
    pub asker: Uuid,
    /// Whose that is.
    pub account: Uuid,
    /// The form that is asked for.
    pub form: String,
    /// Keyed hash of the code.
    pub code_mac: Vec<u8>,
    /// Until when the code is good, microseconds since the epoch.
    pub valid_until_us: i64,
    /// How it stands.
    pub standing: Standing,
}

/// How an invitation stands; with the filing that was begun for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody answered yet.
    Waits,
    /// Taken back before anybody did.
    Withdrawn,
    /// Who was asked does not file it.
    Declined,
    /// Who was asked files it.
    Accepted(Uuid),
    /// Whoever asked does without it.
    Released(Uuid),
    /// Who had accepted does not file it after all.
    SteppedBack(Uuid),
}

/// What is asked of somebody.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The filing of whoever asks.
    pub asker: Uuid,
    /// Whose that is.
    pub account: Uuid,
    /// The form that is asked for.
    pub form: String,
    /// Most of that form that are asked for in one package and stand.
    pub most: u32,
    /// Keyed hash of the code.
    pub code_mac: Vec<u8>,
    /// Now, microseconds since the epoch.
    pub now_us: i64,
    /// Until when the code is good, microseconds since the epoch.
    pub valid_until_us: i64,
    /// Where the mail goes; empty for none.
    pub mail_to: String,
    /// Who is asked.
    pub invitee_name: String,
}

/// A code that is given back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Which invitation it is for.
    pub number: u32,
    /// Its keyed hash.
    pub code_mac: Vec<u8>,
    /// Who gives it.
    pub account: Uuid,
    /// Now, microseconds since the epoch.
    pub now_us: i64,
    /// Whether the filing that asks can still be changed.
    pub asker_open: bool,
}

/// Notes who was asked.
pub(super) fn invited(mut package: Package, e: &pb::PackageFilerInvited) -> Package {
    let invitation = Invitation {
        asker: id(&e.filing_id),
        account: id(&e.account_id),
        form: e.form.clone(),
        code_mac: e.code_mac.clone(),
        valid_until_us: e.valid_until_us,
        standing: Standing::Waits,
    };
    package.invitations.insert(e.number, invitation);
    package
}

/// Notes how one stands now.
pub(super) fn stands(mut package: Package, number: u32, standing: Standing) -> Package {
    if let Some(invitation) = package.invitations.get_mut(&number) {
        invitation.standing = standing;
    }
    package
}

impl Package {
    /// The invitation whose code opens something at an instant; none where it does not. What was sent waits for nobody.
    pub fn waiting(&self, number: u32, now_us: i64) -> Option<&Invitation> {
        let invitation = self.invitations.get(&number).filter(|_| !self.ready)?;
        Some(invitation).filter(|one| one.standing == Standing::Waits && now_us < one.valid_until_us)
    }

    /// The invitation that a code answers.
    ///
    /// # Errors
    /// `CODE_UNKNOWN`, `OWN_INVITATION`.
    pub fn answered(&self, answer: &Answer) -> Result<&Invitation, Refusal> {
        let waiting = self.waiting(answer.number, answer.now_us).filter(|_| answer.asker_open);
        let invitation = waiting.filter(|one| one.code_mac == answer.code_mac).ok_or_else(code_unknown)?;
        if invitation.account == answer.account {
            return Err(Refusal::state(
                "OWN_INVITATION",
                "This is your own invitation: somebody else answers it, from an account of their own.",
            )
            .way_out("Hand the code to the person whom you ask."));
        }
        Ok(invitation)
    }

    /// The filings that were begun for invitations and that neither side has ended.
    pub fn joined(&self) -> impl Iterator<Item = Uuid> {
        self.invitations.values().filter_map(|one| match one.standing {
            Standing::Accepted(filing) => Some(filing),
            Standing::Waits
            | Standing::Withdrawn
            | Standing::Declined
            | Standing::Released(_)
            | Standing::SteppedBack(_) => None,
        })
    }

    /// Whether whoever files this after an invitation has stepped back from it.
    pub fn is_left_by(&self, filing: Uuid) -> bool {
        self.invitations.values().any(|one| one.standing == Standing::SteppedBack(filing))
    }

    /// Refuses that the package is sent by who was asked to file this in it.
    ///
    /// # Errors
    /// `SENT_BY_WHO_ASKED`.
    pub fn may_send(&self, filing: Uuid) -> Result<(), Refusal> {
        if !self.joined().any(|joined| joined == filing) {
            return Ok(());
        }
        Err(Refusal::state(
            "SENT_BY_WHO_ASKED",
            "This form goes in with the package of whoever asked you for it, and they send it.",
        )
        .way_out("Sign it, and tell them that you did; until it went in you may step back from it."))
    }

    /// What whoever files `asker` asked under this number.
    fn asked_by(&self, asker: Uuid, number: u32) -> Result<&Invitation, Refusal> {
        self.invitations.get(&number).filter(|one| one.asker == asker).ok_or_else(|| {
            Refusal::invalid(
                "number",
                "INVITATION_UNKNOWN",
                "This filing asked nobody under that number; the list of its invitations has them.",
            )
        })
    }
}

/// Reads what whoever asks calls who is asked.
///
/// # Errors
/// `INVITEE_UNNAMED`.
pub fn invitee(name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Refusal::invalid(
            "invitee_name",
            "INVITEE_UNNAMED",
            format!("Write the name of the person whom you ask, in at most {LONGEST_NAME} letters."),
        ));
    }
    Ok(name.to_owned())
}

/// Asks somebody; `gone` are those filings of the package that have ended as drafts.
pub fn invite(package: &Package, ask: Ask, gone: &[Uuid]) -> Result<Vec<Event>, Refusal> {
    if package.ready {
        return Err(sent());
    }
    let waits = |number: &u32| package.waiting(*number, ask.now_us).is_some();
    let stands = |(number, one): &(&u32, &Invitation)| match one.standing {
        Standing::Accepted(filing) => !gone.contains(&filing),
        Standing::Waits => waits(number),
        Standing::Withdrawn | Standing::Declined | Standing::Released(_) | Standing::SteppedBack(_) => false,
    };
    let standing = package.invitations.iter().filter(stands).filter(|(_, one)| one.form == ask.form).count();
    if standing >= ask.most as usize {
        return Err(Refusal::state(
            "TOO_MANY_ASKED",
            format!("In one package at most {} people are asked for form {}.", ask.most, ask.form),
        )
        .way_out("Take an invitation back, or release somebody who accepted; then ask somebody else.")
        .fact("form", ask.form));
    }
    if package.filings.len() + package.invitations.keys().filter(|number| waits(number)).count()
        >= MOST_FILINGS
    {
        return Err(too_many());
    }
    if package.invitations.len() >= MOST_INVITATIONS {
        return Err(Refusal::too_much(
            "TOO_MANY_INVITATIONS",
            format!("In one package at most {MOST_INVITATIONS} invitations are made, those that are over included."),
        )
        .way_out("Begin the forms in another package."));
    }
    let number = package.invitations.keys().next_back().map_or(1, |last| last + 1);
    let invited = pb::PackageFilerInvited {
        number,
        filing_id: ask.asker.to_string(),
        account_id: ask.account.to_string(),
        form: ask.form,
        code_mac: ask.code_mac,
        valid_until_us: ask.valid_until_us,
        by_mail: !ask.mail_to.is_empty(),
        mail_to: ask.mail_to,
        invitee_name: ask.invitee_name,
    };
    Ok(vec![invited.into()])
}

/// Takes an invitation back that nobody answered.
pub fn withdraw(package: &Package, asker: Uuid, number: u32) -> Result<Vec<Event>, Refusal> {
    match package.asked_by(asker, number)?.standing {
        Standing::Waits => Ok(vec![pb::PackageInvitationWithdrawn { number }.into()]),
        Standing::Accepted(_) => Err(Refusal::state("INVITATION_OVER", "Who was asked has accepted.")
            .way_out(
                "Release them, before the package is sent: their draft ends, and it goes in without it.",
            )),
        Standing::Withdrawn | Standing::Declined | Standing::Released(_) | Standing::SteppedBack(_) => {
            Err(over())
        }
    }
}

/// Files what was asked for: `joining` joins the `standing` filings of the package.
pub fn accept(
    package: &Package,
    answer: &Answer,
    joining: Added,
    standing: Vec<Added>,
) -> Result<Vec<Event>, Refusal> {
    let invitation = package.answered(answer)?;
    if standing.iter().any(|one| one.account == joining.account && one.form == joining.form) {
        return Err(Refusal::state(
            "IN_PACKAGE_ALREADY",
            "You file this form in that package already, and each person files it once.",
        )
        .way_out("Go on with the one you have; whoever asked can ask somebody else."));
    }
    let accepted = pb::PackageInvitationAccepted {
        number: answer.number,
        filing_id: joining.filing.to_string(),
        account_id: joining.account.to_string(),
        asker_account_id: invitation.account.to_string(),
    };
    let mut events = add(package, standing.into_iter().chain([joining]).collect())?;
    events.push(accepted.into());
    Ok(events)
}

/// Says no.
pub fn decline(package: &Package, answer: &Answer) -> Result<Vec<Event>, Refusal> {
    let asker_account_id = package.answered(answer)?.account.to_string();
    Ok(vec![pb::PackageInvitationDeclined { number: answer.number, asker_account_id }.into()])
}

/// The filing of who accepted, with which whoever asked may do without before it is sent.
///
/// # Errors
/// `INVITATION_UNKNOWN`, `INVITATION_OVER`.
pub fn to_release(package: &Package, asker: Uuid, number: u32) -> Result<Uuid, Refusal> {
    match package.asked_by(asker, number)?.standing {
        Standing::Accepted(filing) => Ok(filing),
        Standing::Waits => Err(Refusal::state("INVITATION_OVER", "Nobody has accepted this invitation yet.")
            .way_out("Take it back instead.")),
        Standing::Withdrawn | Standing::Declined | Standing::Released(_) | Standing::SteppedBack(_) => {
            Err(over())
        }
    }
}

/// Does without it; `account` files it.
pub fn release(number: u32, filing: Uuid, account: Uuid) -> Vec<Event> {
    let (filing_id, account_id) = (filing.to_string(), account.to_string());
    vec![pb::PackageFilerReleased { number, filing_id, account_id }.into()]
}

/// Steps back from what was accepted; nothing where that was done, or nobody was asked for this filing.
pub fn step_back(package: &Package, filing: Uuid) -> Vec<Event> {
    let accepted = |(_, one): &(&u32, &Invitation)| one.standing == Standing::Accepted(filing);
    let left = package.invitations.iter().find(accepted).map(|(number, one)| pb::PackageFilerSteppedBack {
        number: *number,
        filing_id: filing.to_string(),
        asker_account_id: one.account.to_string(),
    });
    left.into_iter().map(Event::from).collect()
}

fn over() -> Refusal {
    Refusal::state("INVITATION_OVER", "This invitation is over.").way_out("Ask somebody else, or anew.")
}

/// The refusal of a code that opens nothing, whatever the reason.
pub(crate) fn code_unknown() -> Refusal {
    Refusal::invalid(
        "code",
        "CODE_UNKNOWN",
        "This code opens nothing: it was used, taken back, has run out after 30 days, the package that it was for was sent, or it is mistyped (10 letters and digits, XXXXX-XXXXX).",
    )
    .way_out("Ask whoever invited you for a new code.")
}
