//! Manifests with their new texts, which are not on the disk yet.

use std::collections::BTreeMap;

use deka_fs::{Durability, Replacement};
use deka_linker::Input;
use deka_manifest::PackageJson;
use deka_manifest::package_json::edit::Editor;

use crate::project::Project;
use crate::{InstallError, MANIFEST};

/// The new texts by folder.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    texts: BTreeMap<String, Draft>,
}

#[derive(Debug)]
struct Draft {
    /// The text that was read, which must still be there when the new one takes its place.
    old: Vec<u8>,
    new: String,
}

/// A manifest that waits beside the old one.
#[derive(Debug)]
pub(crate) struct NewManifest {
    folder: String,
    old: Vec<u8>,
    new: String,
    file: Replacement,
}

impl Drafts {
    /// Returns drafts of which the root's manifest is one already.
    pub(crate) fn of_root(old: &[u8], new: String) -> Self {
        Self { texts: BTreeMap::from([(String::new(), Draft { old: old.to_owned(), new })]) }
    }

    /// Changes the text of the manifest in `folder`, and what the project says of it.
    pub(crate) fn edit(
        &mut self,
        project: &mut Project,
        folder: &str,
        change: impl FnOnce(&Editor),
    ) -> Result<(), InstallError> {
        let path = project.root.join(folder).join(MANIFEST);
        let invalid =
            |source| InstallError::Manifest { path: path.clone(), source: Box::new(source) };
        let (old, text) = if let Some(Draft { old, new }) = self.texts.remove(folder) {
            (old, new.into_bytes())
        } else {
            let text = project.text_of(folder)?;
            (text.clone(), text)
        };
        let editor = Editor::new(&text).map_err(invalid)?;
        change(&editor);
        let new = editor.to_string();
        project.set_manifest(folder, PackageJson::parse(new.as_bytes()).map_err(invalid)?);
        self.texts.insert(folder.to_owned(), Draft { old, new });
        Ok(())
    }

    /// Fails if somebody else has changed a manifest that is to be changed.
    pub(crate) fn check(&self, project: &Project) -> Result<(), InstallError> {
        let mut changed = self.changed();
        changed.try_for_each(|(folder, draft)| check_unchanged(project, folder, &draft.old))
    }

    /// Writes the texts that differ beside the files that they will replace.
    pub(crate) fn write(&self, project: &Project) -> Result<Vec<NewManifest>, InstallError> {
        let mut manifests = Vec::new();
        for (folder, Draft { old, new }) in self.changed() {
            let path = project.root.join(folder).join(MANIFEST);
            let file = Replacement::write(&path, new.as_bytes(), Durability::Fsync)
                .map_err(|source| InstallError::WriteManifest { path, source })?;
            let (folder, old, new) = (folder.clone(), old.clone(), new.clone());
            manifests.push(NewManifest { folder, old, new, file });
        }
        Ok(manifests)
    }

    fn changed(&self) -> impl Iterator<Item = (&String, &Draft)> {
        self.texts.iter().filter(|(_, draft)| draft.old != draft.new.as_bytes())
    }
}

impl NewManifest {
    /// Fails if somebody else has changed the old text since it was read.
    pub(crate) fn check(&self, project: &Project) -> Result<(), InstallError> {
        check_unchanged(project, &self.folder, &self.old)
    }

    /// Lets the new text take effect.
    pub(crate) fn put_in_place(self, project: &mut Project) -> Result<(), InstallError> {
        let Self { folder, new, file, .. } = self;
        let path = project.root.join(&folder).join(MANIFEST);
        file.put_in_place().map_err(|source| InstallError::WriteManifest { path, source })?;
        let path = path_below(&folder);
        project.inputs.retain(|known| *known.path != *path);
        project.inputs.push(Input::file(&project.dir, &path, new.as_bytes()));
        Ok(())
    }
}

/// Returns where the manifest of a folder is, below the root.
fn path_below(folder: &str) -> String {
    if folder.is_empty() { MANIFEST.to_owned() } else { format!("{folder}/{MANIFEST}") }
}

fn check_unchanged(project: &Project, folder: &str, text: &[u8]) -> Result<(), InstallError> {
    let path = path_below(folder);
    let now = project
        .dir
        .read(&*path)
        .map_err(|source| InstallError::Read { path: project.root.join(&path), source })?;
    // Where there was none, one with nothing in it stands in.
    if now.as_deref().unwrap_or_default() == text {
        Ok(())
    } else {
        Err(InstallError::ManifestChanged { path: project.root.join(path) })
    }
}
