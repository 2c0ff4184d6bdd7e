//! What is signed about a log: checkpoints of its tree and statements about one stream (Ed25519, RFC 8032).

use std::fmt;
use std::path::Path;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use jiff::Timestamp;

use crate::chain::{push, sha256};
use crate::merkle::Hash;
use crate::{Error, StreamName};

/// The key which signs checkpoints.
pub struct CheckpointKey {
    pair: Ed25519KeyPair,
    pub(crate) id: String,
}

impl CheckpointKey {
    /// Reads the key's seed from a file of 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| Error::Key(format!("{}: {error}", path.display())))?;
        let mut seed = [0_u8; 32];
        hex::decode_to_slice(text.trim(), &mut seed)
            .map_err(|_| Error::Key("it is not 64 hexadecimal digits".to_owned()))?;
        Self::from_seed(&seed)
    }

    /// Makes the key from its seed.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|why| Error::Key(why.to_string()))?;
        let id = hex::encode(&sha256(pair.public_key().as_ref())[..8]);
        Ok(Self { pair, id })
    }

    /// The public key, to be known to whoever verifies.
    pub fn public_key(&self) -> [u8; 32] {
        self.pair.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 bytes")
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.pair.sign(message).as_ref().try_into().expect("an Ed25519 signature has 64 bytes")
    }
}

impl fmt::Debug for CheckpointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckpointKey({})", self.id)
    }
}

/// A signed root: these and only these events were at positions 1 … size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The log.
    pub log: String,
    /// How many events the tree holds.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// The epoch it was signed in.
    pub epoch: u64,
    /// When it was signed (µs).
    pub signed_at: Timestamp,
    /// Which key signed it.
    pub key_id: String,
    /// Over [`SignedCheckpoint::message`].
    pub signature: [u8; 64],
}

impl SignedCheckpoint {
    /// The signed bytes: `docket.checkpoint.v1`, then log, size, root, epoch and instant, each with its length
    /// before it (u64, big-endian); numbers are 8 bytes, big-endian.
    pub fn message(&self) -> Vec<u8> {
        let mut message = b"docket.checkpoint.v1".to_vec();
        push(&mut message, self.log.as_bytes());
        push(&mut message, &self.size.to_be_bytes());
        push(&mut message, &self.root);
        push(&mut message, &self.epoch.to_be_bytes());
        push(&mut message, &self.signed_at.as_microsecond().to_be_bytes());
        message
    }

    /// Whether the signature is that of `public_key`.
    pub fn signed_by(&self, public_key: &[u8; 32]) -> bool {
        verified(public_key, &self.message(), &self.signature)
    }
}

/// A signed statement that a stream ends at this version: goes with an export of the stream, since proofs
/// of inclusion alone cannot show that nothing later was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The stream.
    pub stream: StreamName,
    /// Its last version within the checkpoint.
    pub version: u64,
    /// The link of that event; zeros when there is none.
    pub link: [u8; 32],
    /// The checkpoint within which this holds.
    pub checkpoint: SignedCheckpoint,
    /// Over [`Statement::message`].
    pub signature: [u8; 64],
}

impl Statement {
    /// The signed bytes: `docket.statement.v1`, then log, stream, version, link, tree size and root, each with its
    /// length before it.
    pub fn message(&self) -> Vec<u8> {
        let mut message = b"docket.statement.v1".to_vec();
        push(&mut message, self.checkpoint.log.as_bytes());
        push(&mut message, self.stream.as_str().as_bytes());
        push(&mut message, &self.version.to_be_bytes());
        push(&mut message, &self.link);
        push(&mut message, &self.checkpoint.size.to_be_bytes());
        push(&mut message, &self.checkpoint.root);
        message
    }

    /// Whether both signatures are those of `public_key`.
    pub fn signed_by(&self, public_key: &[u8; 32]) -> bool {
        self.checkpoint.signed_by(public_key) && verified(public_key, &self.message(), &self.signature)
    }
}

fn verified(public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key).verify(message, signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{at, stream};

    fn key(seed: u8) -> CheckpointKey {
        CheckpointKey::from_seed(&[seed; 32]).unwrap()
    }

    fn checkpoint(key: &CheckpointKey) -> SignedCheckpoint {
        let unsigned = SignedCheckpoint {
            log: "cases-0".to_owned(),
            size: 10,
            root: [1; 32],
            epoch: 2,
            signed_at: at(),
            key_id: key.id.clone(),
            signature: [0; 64],
        };
        SignedCheckpoint { signature: key.sign(&unsigned.message()), ..unsigned }
    }

    fn statement(key: &CheckpointKey) -> Statement {
        let (stream, checkpoint) = (stream("case-a"), checkpoint(key));
        let unsigned = Statement { stream, version: 3, link: [2; 32], checkpoint, signature: [0; 64] };
        Statement { signature: key.sign(&unsigned.message()), ..unsigned }
    }

    #[test]
    fn a_key_has_the_name_of_its_public_half_and_shows_nothing_else() {
        let (one, other) = (key(1), key(2));
        assert_ne!((&one.id, one.public_key()), (&other.id, other.public_key()));
        assert_eq!(one.id, hex::encode(&sha256(&one.public_key())[..8]));
        assert_eq!(format!("{one:?}"), format!("CheckpointKey({})", one.id));
    }

    #[test]
    fn a_key_is_read_from_a_file_of_hexadecimal_digits() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{}\n", "01".repeat(32))).unwrap();
        assert_eq!(CheckpointKey::from_file(file.path()).unwrap().id, key(1).id);
        std::fs::write(file.path(), "01".repeat(31)).unwrap();
        assert!(matches!(CheckpointKey::from_file(file.path()), Err(Error::Key(_))));
        assert!(matches!(CheckpointKey::from_file(Path::new("/nowhere/key")), Err(Error::Key(_))));
    }

    #[test]
    fn a_checkpoint_is_signed_over_each_of_its_fields() {
        let key = key(1);
        let signed = checkpoint(&key);
        assert!(signed.signed_by(&key.public_key()) && !signed.signed_by(&self::key(2).public_key()));
        assert_eq!(signed.message().len(), 20 + 8 + 7 + 16 + 40 + 16 + 16);
        for changed in [
            SignedCheckpoint { log: "cases-1".to_owned(), ..signed.clone() },
            SignedCheckpoint { size: 11, ..signed.clone() },
            SignedCheckpoint { root: [3; 32], ..signed.clone() },
            SignedCheckpoint { epoch: 3, ..signed.clone() },
            SignedCheckpoint { signed_at: Timestamp::UNIX_EPOCH, ..signed.clone() },
        ] {
            assert!(!changed.signed_by(&key.public_key()), "{changed:?}");
        }
    }

    #[test]
    fn a_statement_is_signed_over_each_of_its_fields_and_its_checkpoint() {
        let key = key(1);
        let signed = statement(&key);
        assert!(signed.signed_by(&key.public_key()) && !signed.signed_by(&self::key(2).public_key()));
        assert_eq!(signed.message().len(), 19 + 8 + 7 + 8 + 6 + 16 + 40 + 16 + 40);
        let unsigned = SignedCheckpoint { signature: [0; 64], ..signed.checkpoint.clone() };
        for changed in [
            Statement { stream: stream("case-b"), ..signed.clone() },
            Statement { version: 4, ..signed.clone() },
            Statement { link: [3; 32], ..signed.clone() },
            Statement { checkpoint: unsigned, ..signed.clone() },
            Statement { signature: signed.checkpoint.signature, ..signed.clone() },
        ] {
            assert!(!changed.signed_by(&key.public_key()), "{changed:?}");
        }
    }
}
