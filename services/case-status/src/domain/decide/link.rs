//! Cases of one package: which rest on which, and what the end of one means for the others (lifecycle 4, 25).

use std::collections::BTreeMap;

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use super::ending::ending;
use super::{Decision, pending, worded};
use crate::domain::{BasisEnd, Case, Direction, Event, Link, LinkKind, Outcome, Stage, evolve};

/// The states of other cases, by id, as a decision may look at them.
pub type Others = BTreeMap<Uuid, Case>;

/// The form that rests on a petition (INA 245(a)).
const ADJUSTMENT: &str = "I-485";

/// Why a case is closed as moot.
const OTHER_MEANS: &str = "benefit_received_by_other_means";

/// A filing of a package, as far as links go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// Its case.
    pub case: Uuid,
    /// Its form.
    pub form: String,
    /// The account of its party.
    pub party: Uuid,
    /// Whether it is made as the spouse or child of a principal applicant.
    pub derivative: bool,
}

impl Filed {
    /// Whether a filing of this form can be linked with another one of its package.
    pub fn may_be_linked(&self) -> bool {
        matches!(self.form.as_str(), "I-130" | "I-140" | "I-485" | "I-765" | "I-131")
    }

    /// The link that this case has with another one of its package; none when they do not need each other.
    pub fn link_with(&self, other: &Self) -> Option<Link> {
        let (kind, direction) = rests_on(self, other)
            .map(|kind| (kind, Direction::RestsOn))
            .or_else(|| rests_on(other, self).map(|kind| (kind, Direction::Carries)))?;
        Some(Link { case: other.case, form: other.form.clone(), kind, direction, apart: false })
    }

    /// The same of a case of the same person that was filed apart: a petition that is one's own, and the own application for adjustment.
    pub fn link_apart(&self, other: &Self) -> Option<Link> {
        let is_own = self.form != "I-130" && other.form != "I-130" && self.party == other.party;
        let link = self.link_with(other).filter(|link| is_own && link.kind != LinkKind::Principal)?;
        Some(Link { apart: true, ..link })
    }
}

/// An application for adjustment rests on the petition filed with it (8 CFR 245.2(a)(2)(i)(B)), and a derivative's on the principal's
/// (INA 203(d)); permission to work and to travel rest on the own application for adjustment.
fn rests_on(one: &Filed, other: &Filed) -> Option<LinkKind> {
    match (one.form.as_str(), other.form.as_str()) {
        ("I-485", "I-130" | "I-140") => Some(LinkKind::Basis),
        ("I-485", "I-485") => (one.derivative && !other.derivative).then_some(LinkKind::Principal),
        ("I-765" | "I-131", "I-485") => (one.party == other.party).then_some(LinkKind::Ancillary),
        _ => None,
    }
}

/// Links the case with another one of its package, as that one stands; what ended already is lost at once. Nothing
/// follows the end of a filing (lifecycle 5), not even a link.
///
/// # Errors
/// Not found without a case.
pub fn link(case: &Case, link: &Link, other: &Case) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    let known = case.links.iter().any(|known| known.case == link.case);
    if known || matches!(case.stage, Stage::Rejected | Stage::Voided) {
        return Ok(Vec::new());
    }
    let linked = Event::from(pb::CaseLinked {
        case_id: link.case.to_string(),
        form: link.form.clone(),
        link_kind: link.kind.as_str().to_owned(),
        direction: link.direction.as_str().to_owned(),
        apart: link.apart,
    });
    let after = evolve(case.clone(), &linked);
    let mut events = vec![linked];
    events.extend(follow_basis(&after, link.case, other)?);
    Ok(events)
}

/// How a case ended without an approval; none when it did not.
pub fn basis_end(case: &Case) -> Option<BasisEnd> {
    match (case.stage, case.outcome) {
        (Stage::Rejected, _) => Some(BasisEnd::Rejected),
        (Stage::Voided, _) => Some(BasisEnd::Voided),
        (_, Some(Outcome::Denied | Outcome::DeniedAbandoned)) => Some(BasisEnd::Denied),
        (_, Some(Outcome::Revoked | Outcome::RevokedByLaw | Outcome::Terminated)) => Some(BasisEnd::Revoked),
        (_, Some(Outcome::AdministrativelyClosed)) => Some(BasisEnd::Closed),
        (_, Some(Outcome::Withdrawn)) => Some(BasisEnd::Withdrawn),
        // What was referred is pending before the court.
        (_, Some(Outcome::Approved | Outcome::Referred | Outcome::ClosedAsMoot) | None) => None,
    }
}

/// What the state of a case means for an open one that rests on it: the basis is lost, or regained when that case is
/// under review again. An officer decides what follows, never a machine (lifecycle 21).
///
/// # Errors
/// None.
pub fn follow_basis(case: &Case, basis_id: Uuid, basis: &Case) -> Decision {
    let rests = |link: &Link| link.case == basis_id && link.direction == Direction::RestsOn;
    if !case.is_open() || !case.links.iter().any(rests) {
        return Ok(Vec::new());
    }
    let case_id = basis_id.to_string();
    Ok(match (basis_end(basis), case.lost_bases.contains_key(&basis_id)) {
        (Some(end), false) => vec![pb::BasisLost { case_id, cause: end.as_str().to_owned() }.into()],
        (None, true) => vec![pb::BasisRegained { case_id }.into()],
        (Some(_), true) | (None, false) => Vec::new(),
    })
}

/// Closes a pending case whose person has what it asks for by the approval of the one it rests on. What stands open ends
/// with it, as with a withdrawal. It is no denial and follows no decision.
///
/// # Errors
/// None.
pub fn close_as_moot(case: &Case, by: Uuid) -> Decision {
    let rests = |link: &Link| {
        link.case == by && link.kind == LinkKind::Ancillary && link.direction == Direction::RestsOn
    };
    if !case.stage.is_pending() || !case.links.iter().any(rests) {
        return Ok(Vec::new());
    }
    let closed = pb::CaseClosedAsMoot { cause: OTHER_MEANS.to_owned(), case_id: by.to_string() };
    let mut events = vec![closed.into()];
    events.extend(ending(case, "moot"));
    Ok(events)
}

/// On which petition a case rests, or through which principal's it is made, as an officer saw.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The officer.
    pub officer: Uuid,
    /// That case; none for one that is no case here.
    pub basis: Option<Uuid>,
    /// Of one that is no case here, whether it is the principal's.
    pub of_principal: bool,
    /// Of one that is no case here, what was seen of its approval and where; sealed by the log.
    pub note: &'a str,
}

/// Says on which petition an application for adjustment rests, or a derivative's on which principal's: it is linked with one that is a
/// case here, in both, and of another one it is noted that it is approved. It replaces what the case rested on so before. `others` holds
/// all these cases as they stand at that moment. Gives what is written, by case.
///
/// # Errors
/// `NO_BASIS_NEEDED`, `NOT_A_PETITION`, `NO_PRINCIPAL_NEEDED`, `NOT_A_PRINCIPAL`, `PETITION_ENDED`, `ALREADY_LINKED`,
/// `WORDS_OUT_OF_BOUNDS`, and what [`pending`] says; not found without that case.
pub fn say_basis(
    (case_id, case): (Uuid, &Case),
    others: &Others,
    said: Said<'_>,
) -> Result<BTreeMap<Uuid, Vec<Event>>, Refusal> {
    pending(case)?;
    rests_on_petition(case)?;
    let named = said.basis.map(|id| others.get(&id).map(|basis| (id, basis)).ok_or_else(Refusal::not_found));
    let named = named.transpose()?;
    let kind = match named {
        Some((_, basis)) => tied_by(case, basis)?,
        None => noted_of(case, said.of_principal)?,
    };
    let officer = said.officer.to_string();
    let mut written = BTreeMap::from([(case_id, Vec::new())]);
    // What was linked since the others were looked at stays: nothing is undone in one of two cases.
    let before = |link: &&Link| link.kind == kind && link.direction == Direction::RestsOn;
    let known = |link: &&Link| said.basis != Some(link.case) && others.contains_key(&link.case);
    for link in case.links.iter().filter(before).filter(known) {
        let unlinked = |other: Uuid, form: &str, direction: Direction| pb::CaseUnlinked {
            case_id: other.to_string(),
            form: form.to_owned(),
            direction: direction.as_str().to_owned(),
            officer: officer.clone(),
        };
        written.entry(case_id).or_default().push(unlinked(link.case, &link.form, Direction::RestsOn).into());
        written.insert(link.case, vec![unlinked(case_id, &case.form, Direction::Carries).into()]);
    }
    let own = written.entry(case_id).or_default();
    let Some((basis_id, basis)) = named else {
        let of_principal = kind == LinkKind::Principal;
        own.push(pb::BasisVerified { officer, note: worded("note", said.note)?, of_principal }.into());
        return Ok(written);
    };
    let tie =
        |case, form: &str, direction| Link { case, form: form.to_owned(), kind, direction, apart: true };
    let linked = link(case, &tie(basis_id, &basis.form, Direction::RestsOn), basis)?;
    if linked.is_empty() {
        return Err(Refusal::state("ALREADY_LINKED", "The case is linked with this one."));
    }
    own.extend(linked);
    written.insert(basis_id, link(basis, &tie(case_id, &case.form, Direction::Carries), case)?);
    Ok(written)
}

/// What ties an application for adjustment and the case that an officer names for it, which has not ended without an approval.
fn tied_by(case: &Case, basis: &Case) -> Result<LinkKind, Refusal> {
    let accepted = !basis.receipt_number.is_empty();
    let kind = match basis.form.as_str() {
        "I-130" | "I-140" if accepted => LinkKind::Basis,
        ADJUSTMENT if accepted && case.derivative && !basis.derivative => LinkKind::Principal,
        ADJUSTMENT if case.derivative => {
            return Err(Refusal::invalid(
                "basis",
                "NOT_A_PRINCIPAL",
                "This is no accepted I-485 of a principal applicant.",
            )
            .way_out("Look up the principal's I-485 by its receipt number; one that is no case here is noted in words."));
        }
        _ => {
            return Err(Refusal::invalid("basis", "NOT_A_PETITION", "This is no accepted I-130 or I-140.")
                .way_out(
                    "Look up the petition by its receipt number; one that is no case here is noted in words.",
                ));
        }
    };
    if basis_end(basis).is_some() {
        return Err(Refusal::state("PETITION_ENDED", "That case ended without an approval.")
            .way_out("Say on which one the case rests that is pending or approved.")
            .field("basis"));
    }
    Ok(kind)
}

/// What a note about a case elsewhere is about.
fn noted_of(case: &Case, of_principal: bool) -> Result<LinkKind, Refusal> {
    match (of_principal, case.derivative) {
        (false, _) => Ok(LinkKind::Basis),
        (true, true) => Ok(LinkKind::Principal),
        (true, false) => Err(Refusal::state(
            "NO_PRINCIPAL_NEEDED",
            "Only the application of a derivative, who applies as the spouse or child of a principal, rests on the principal's.",
        )),
    }
}

/// Whether a case is not approved while the same person's petition to remove conditions is pending (INA 216, 318).
pub fn waits_for_conditions(case: &Case) -> bool {
    case.family == "naturalization" && !case.is_for_another()
}

/// Whether a case is such a petition, of whoever signed it for themselves.
pub fn removes_conditions(case: &Case) -> bool {
    case.family == "conditions_removal" && !case.is_for_another()
}

/// Who is a resident on conditions becomes no citizen before they are removed (lifecycle 27).
///
/// # Errors
/// `CONDITIONS_PENDING`.
pub(super) fn conditions_removed(case: &Case, others: &Others) -> Result<(), Refusal> {
    let pending = |other: &Case| removes_conditions(other) && other.is_open();
    if !waits_for_conditions(case) || !others.values().any(pending) {
        return Ok(());
    }
    Err(Refusal::state(
        "CONDITIONS_PENDING",
        "The petition to remove the conditions on this person's residence is pending (INA 216, 318).",
    )
    .way_out("Decide the I-751 first; both may be decided on the same day."))
}

fn rests_on_petition(case: &Case) -> Result<(), Refusal> {
    if case.form == ADJUSTMENT {
        return Ok(());
    }
    Err(Refusal::state(
        "NO_BASIS_NEEDED",
        "Only an application for adjustment, Form I-485, rests on a petition.",
    ))
}

/// Every petition that the case rests on is approved, as the cases stand when the decision is written (lifecycle 25).
///
/// # Errors
/// `BASIS_NOT_APPROVED`; `BASIS_NOT_VERIFIED` where the answers name a petition that nobody has looked at.
pub(super) fn bases_approved(case: &Case, others: &Others) -> Result<(), Refusal> {
    let rests = case.form == ADJUSTMENT && (case.rests_on_unnamed || !case.rests_on_receipt.is_empty());
    if rests && !case.basis_verified && case.bases().next().is_none() {
        return Err(Refusal::state(
            "BASIS_NOT_VERIFIED",
            "This case rests on a petition that was filed apart, and nobody has said which or how it stands (INA 245(a)).",
        )
        .way_out("Link the case with the petition by its receipt number, or note what was seen of its approval.")
        .fact("receipt", case.rests_on_receipt.clone()));
    }
    let approved =
        |basis: &Uuid| others.get(basis).is_some_and(|basis| basis.outcome == Some(Outcome::Approved));
    case.bases().find(|basis| !approved(basis)).map_or(Ok(()), |basis| {
        Err(Refusal::state(
            "BASIS_NOT_APPROVED",
            "The petition that this case rests on is not approved (INA 245(a)).",
        )
        .way_out("Decide the petition first; both may be decided on the same day.")
        .fact("basis", format!("cases/{basis}")))
    })
}

/// Of a derivative's application the principal's is approved and under review no more, as the cases stand when the decision is written
/// (lifecycle 26, INA 203(d)). Of several one is, and the others have ended.
///
/// # Errors
/// `PRINCIPAL_NOT_APPROVED`; `PRINCIPAL_NOT_KNOWN` where nobody has said which the principal's is.
pub(super) fn principal_approved(case: &Case, others: &Others) -> Result<(), Refusal> {
    let principals: Vec<Uuid> = case.principals().collect();
    let Some(first) = principals.first() else {
        if case.principal_verified || !case.derivative {
            return Ok(());
        }
        return Err(Refusal::state(
            "PRINCIPAL_NOT_KNOWN",
            "This person applies as the spouse or child of a principal applicant, and nobody has said whose or how that case stands (INA 203(d)).",
        )
        .way_out("Link the case with the principal's I-485 by its receipt number, or note what was seen of its approval."));
    };
    let open = |principal: &&Uuid| others.get(principal).is_none_or(Case::is_open);
    let approved =
        |principal: &Uuid| others.get(principal).is_some_and(|it| it.outcome == Some(Outcome::Approved));
    let waits_for = principals.iter().find(open);
    if waits_for.is_none() && principals.iter().any(approved) {
        return Ok(());
    }
    Err(Refusal::state(
        "PRINCIPAL_NOT_APPROVED",
        "The application of the principal through whom this person applies is not approved (INA 203(d)).",
    )
    .way_out("Decide the principal's case first; both may be decided on the same day.")
    .fact("principal", format!("cases/{}", waits_for.unwrap_or(first))))
}
