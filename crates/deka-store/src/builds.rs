//! What the result of a build is found by.

use deka_manifest::{Algorithm, Integrity};

/// The BLAKE3 hash of everything that decides about what scripts make of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BuildKey([u8; 32]);

impl BuildKey {
    /// Hashes fields, each with its length before it, so that no text can pass for two others.
    pub fn of<F: AsRef<[u8]>>(fields: impl IntoIterator<Item = F>) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("deka build");
        for field in fields {
            let field = field.as_ref();
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns what stands in the index, where that of a package has the integrity of its tarball.
    /// Only indexes of builds are looked up by it, so that no lockfile can name one.
    pub(crate) fn integrity(&self) -> Option<Integrity> {
        Integrity::from_digest(Algorithm::Sha256, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::BuildKey;

    #[test]
    fn fields_have_bounds() {
        assert_eq!(BuildKey::of(["a", "bc"]), BuildKey::of(["a", "bc"]));
        let keys = [&["a", "bc"][..], &["ab", "c"], &["abc"], &["bc", "a"], &["a", "bc", ""], &[]];
        for (at, key) in keys.iter().enumerate() {
            for other in &keys[..at] {
                assert_ne!(BuildKey::of(*key), BuildKey::of(*other), "{key:?} {other:?}");
            }
        }
    }
}
