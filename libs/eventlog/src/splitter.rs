//! Splits an encoded message into a clear part and one part per subject, by its top-level fields.
//!
//! The parts are put together again by concatenation, which is protobuf's own merge; so only singular
//! or whole repeated fields are ever marked as personal.

use docket_kernel::SubjectKind;

/// The bytes are not a protobuf message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not a message")]
pub struct NotAMessage;

/// A message taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The fields anybody may read.
    pub clear: Vec<u8>,
    /// The fields of each subject which has any, in the order of first appearance.
    pub personal: Vec<(SubjectKind, Vec<u8>)>,
}

/// Takes `message` apart; `personal` names the marked fields by number.
///
/// # Errors
/// [`NotAMessage`].
pub fn split(message: &[u8], personal: &[(u32, SubjectKind)]) -> Result<Parts, NotAMessage> {
    let mut parts = Parts { clear: Vec::with_capacity(message.len()), personal: Vec::new() };
    for field in fields(message) {
        let (number, bytes) = field?;
        let subject = personal.iter().find(|(marked, _)| *marked == number).map(|(_, subject)| *subject);
        let Some(subject) = subject else {
            parts.clear.extend_from_slice(bytes);
            continue;
        };
        match parts.personal.iter_mut().find(|(known, _)| *known == subject) {
            Some((_, part)) => part.extend_from_slice(bytes),
            None => parts.personal.push((subject, bytes.to_vec())),
        }
    }
    Ok(parts)
}

/// The top-level fields of `message`: each with its number and its bytes, tag included.
pub fn fields(message: &[u8]) -> impl Iterator<Item = Result<(u32, &[u8]), NotAMessage>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = take_field(rest);
        rest = match field {
            Ok((_, bytes)) => &rest[bytes.len()..],
            Err(NotAMessage) => &[],
        };
        Some(field)
    })
}

fn take_field(bytes: &[u8]) -> Result<(u32, &[u8]), NotAMessage> {
    let (tag, after_tag) = varint(bytes)?;
    let number = u32::try_from(tag >> 3).map_err(|_| NotAMessage)?;
    let value = match tag & 7 {
        0 => varint(&bytes[after_tag..])?.1,
        1 => 8,
        2 => {
            let (length, size) = varint(&bytes[after_tag..])?;
            usize::try_from(length).ok().and_then(|length| length.checked_add(size)).ok_or(NotAMessage)?
        }
        5 => 4,
        // Groups (3 and 4) are not in proto3; 6 and 7 are nothing.
        _ => return Err(NotAMessage),
    };
    let end = after_tag.checked_add(value).ok_or(NotAMessage)?;
    match bytes.get(..end) {
        Some(field) if (1..1 << 29).contains(&number) => Ok((number, field)),
        _ => Err(NotAMessage),
    }
}

/// The number at the start of `bytes` and how many bytes it takes, at most ten.
fn varint(bytes: &[u8]) -> Result<(u64, usize), NotAMessage> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        let low = u64::from(byte & 0x7f);
        if index == 9 && low > 1 {
            return Err(NotAMessage);
        }
        value |= low << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((value, index + 1));
        }
    }
    Err(NotAMessage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(number: u32, text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        prost::encoding::string::encode(number, &text.to_owned(), &mut bytes);
        bytes
    }

    #[test]
    fn marked_fields_leave_the_clear_part() {
        let message = [field(1, "A"), field(2, "secret"), field(3, "B"), field(2, "more")].concat();
        let parts = split(&message, &[(2, SubjectKind::Filing)]).unwrap();
        assert_eq!(parts.clear, [field(1, "A"), field(3, "B")].concat());
        assert_eq!(parts.personal, [(SubjectKind::Filing, [field(2, "secret"), field(2, "more")].concat())]);
    }

    #[test]
    fn cut_off_bytes_and_groups_are_no_message() {
        let whole = field(1, "abc");
        for end in 1..whole.len() {
            assert_eq!(split(&whole[..end], &[]), Err(NotAMessage), "{end} bytes");
        }
        assert_eq!(split(&[0x0b, 0x0c], &[]), Err(NotAMessage));
        assert_eq!(split(&[0x02, 0x00], &[]), Err(NotAMessage), "field number 0");
    }

    fn any_field() -> impl Strategy<Value = (u32, Vec<u8>)> {
        (1_u32..20, prop_oneof![Just(0_u8), Just(1), Just(2), Just(5)], any::<u64>(), ".{0,20}").prop_map(
            |(number, wire, value, text)| {
                let mut bytes = Vec::new();
                match wire {
                    0 => prost::encoding::uint64::encode(number, &value, &mut bytes),
                    1 => prost::encoding::fixed64::encode(number, &value, &mut bytes),
                    2 => prost::encoding::string::encode(number, &text, &mut bytes),
                    _ => prost::encoding::fixed32::encode(
                        number,
                        &u32::try_from(value >> 32).unwrap(),
                        &mut bytes,
                    ),
                }
                (number, bytes)
            },
        )
    }

    proptest! {
        #[test]
        fn the_parts_hold_every_field_once_and_in_order(all in proptest::collection::vec(any_field(), 0..30)) {
            let message: Vec<u8> = all.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
            let table = [(3, SubjectKind::Filing), (7, SubjectKind::Account), (8, SubjectKind::Account)];
            let parts = split(&message, &table).unwrap();
            let of = |wanted: Option<SubjectKind>| -> Vec<u8> {
                all.iter()
                    .filter(|(number, _)| table.iter().find(|row| row.0 == *number).map(|row| row.1) == wanted)
                    .flat_map(|(_, bytes)| bytes.clone())
                    .collect()
            };
            prop_assert_eq!(&parts.clear, &of(None));
            for (subject, bytes) in &parts.personal {
                prop_assert_eq!(bytes, &of(Some(*subject)));
            }
            let size: usize = parts.personal.iter().map(|(_, bytes)| bytes.len()).sum();
            prop_assert_eq!(parts.clear.len() + size, message.len());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = split(&bytes, &[(1, SubjectKind::Person)]);
        }
    }
}
