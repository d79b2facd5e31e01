use std::path::Path;
use std::time::{Duration, SystemTime};

use deka_manifest::{PackageName, Packument};
use url::Url;

use super::ManifestCache;
use crate::{RegistryKey, Validators};

fn sample() -> (RegistryKey, Packument) {
    let name = PackageName::parse("@a/B").unwrap();
    let json = br#"{"name":"@a/B","versions":{"1.0.0":{"name":"@a/B","version":"1.0.0"}}}"#;
    let registry = RegistryKey::new(&Url::parse("https://registry.example/").unwrap());
    (registry, Packument::from_json(name, json).unwrap())
}

#[test]
fn what_is_stored_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let cache = ManifestCache::at(&folder.path().join("not/yet/there"));
    let (registry, packument) = sample();
    let name = packument.name();
    assert!(cache.load(&registry, name).is_none());
    assert!(cache.touch(&registry, name).is_err());

    let validators = Validators { etag: Some("\"1\"".into()), ..Validators::default() };
    cache.store(&registry, &packument, &validators).unwrap();
    let found = cache.load(&registry, name).unwrap();
    assert!(found.is_fresh);
    assert_eq!(found.validators, validators);
    assert_eq!(found.packument.record(), packument.record());
    assert_eq!(found.packument.name(), name);

    // Replacing a file leaves what was mapped before as it is.
    cache.store(&registry, &packument, &Validators::default()).unwrap();
    assert_eq!(found.packument.record(), packument.record());
    assert_eq!(cache.load(&registry, name).unwrap().validators, Validators::default());
}

#[test]
fn age_is_counted_from_the_last_answer() {
    let folder = tempfile::tempdir().unwrap();
    let cache = ManifestCache::at(folder.path());
    let (registry, packument) = sample();
    let name = packument.name();
    let validators = Validators { max_age: Duration::from_mins(1), ..Validators::default() };
    cache.store(&registry, &packument, &validators).unwrap();
    let is_fresh_in = |seconds| {
        let then = SystemTime::now() + Duration::from_secs(seconds);
        cache.load_at(&registry, name, then).unwrap().is_fresh
    };
    assert!(is_fresh_in(58));
    assert!(!is_fresh_in(61));
    cache.touch(&registry, name).unwrap();
    assert!(is_fresh_in(58));
}

#[test]
fn the_configuration_may_want_none() {
    let mut config = deka_config::Config::default();
    assert!(ManifestCache::of(&config).is_none());
    config.cache.folder = Path::new("/cache").to_owned();
    assert!(ManifestCache::of(&config).is_some());
    config.cache.manifests_disabled = true;
    assert!(ManifestCache::of(&config).is_none());
}
