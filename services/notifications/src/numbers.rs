//! The numbers of accounts: opened from the log at the moment a text goes there, and never kept; the codes that prove them.

use docket_eventlog::{Error, Store};
use docket_service::Base;
use docket_vault::Vault;
use uuid::Uuid;

use crate::domain::{Texting, TextingEvent};

/// The number of an account that was given under this id; none where there is none, or where it was erased.
///
/// # Errors
/// Those of the log.
pub(crate) async fn opened(base: &Base, account: Uuid, number: Uuid) -> Result<Option<String>, Error> {
    let loaded = Store::<Texting>::new(base.log.clone()).load(account).await?;
    let number = number.to_string();
    for event in loaded.events.iter().rev() {
        let TextingEvent::TextNumberGiven(given) = event.decode()? else { continue };
        if given.number_id == number {
            let TextingEvent::TextNumberGiven(given) = base.log.open_event(event).await? else { continue };
            return Ok(Some(given.number).filter(|number| !number.is_empty()));
        }
    }
    Ok(None)
}

/// The keyed hash of a number in E.164 form, by which a reply from it finds its accounts.
pub(crate) fn key(vault: &Vault, number: &str) -> [u8; 32] {
    vault.mac("texting.number", number.as_bytes())
}

/// The code that goes to a number: it follows from the id under which that was given, so that a second copy brings the same one.
pub(crate) fn code(vault: &Vault, number: Uuid) -> String {
    let mac = vault.mac("texting.code", number.as_bytes());
    let bits = mac.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    format!("{:06}", bits % 1_000_000)
}

/// Letters that stand in one text and in no other, so that a carrier whose answer was lost can be asked for it: 30 bits of its id.
pub(crate) fn letters(delivery: Uuid) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let bits = delivery.as_u128();
    (0..6)
        .map(|place| char::from(ALPHABET[usize::try_from(bits >> (place * 5) & 31).unwrap_or_default()]))
        .collect()
}
