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
    texts: BTreeMap<String, String>,
}

/// A manifest that waits beside the old one.
#[derive(Debug)]
pub(crate) struct NewManifest {
    folder: String,
    text: String,
    file: Replacement,
}

impl Drafts {
    /// Returns drafts of which the root's manifest is one already.
    pub(crate) fn of_root(text: String) -> Self {
        Self { texts: BTreeMap::from([(String::new(), text)]) }
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
        let text = match self.texts.remove(folder) {
            Some(text) => text.into_bytes(),
            None => project.text_of(folder)?,
        };
        let editor = Editor::new(&text).map_err(invalid)?;
        change(&editor);
        let text = editor.to_string();
        project.set_manifest(folder, PackageJson::parse(text.as_bytes()).map_err(invalid)?);
        self.texts.insert(folder.to_owned(), text);
        Ok(())
    }

    /// Writes the texts that differ beside the files that they will replace.
    pub(crate) fn write(&self, project: &Project) -> Result<Vec<NewManifest>, InstallError> {
        let mut manifests = Vec::new();
        for (folder, text) in &self.texts {
            if project.text_of(folder)? == text.as_bytes() {
                continue;
            }
            let path = project.root.join(folder).join(MANIFEST);
            let file = Replacement::write(&path, text.as_bytes(), Durability::Fsync)
                .map_err(|source| InstallError::WriteManifest { path, source })?;
            manifests.push(NewManifest { folder: folder.clone(), text: text.clone(), file });
        }
        Ok(manifests)
    }
}

impl NewManifest {
    /// Lets the new text take effect.
    pub(crate) fn put_in_place(self, project: &mut Project) -> Result<(), InstallError> {
        let Self { folder, text, file } = self;
        let path = project.root.join(&folder).join(MANIFEST);
        file.put_in_place().map_err(|source| InstallError::WriteManifest { path, source })?;
        let path =
            if folder.is_empty() { MANIFEST.to_owned() } else { format!("{folder}/{MANIFEST}") };
        project.inputs.retain(|known| *known.path != *path);
        project.inputs.push(Input::file(&project.dir, &path, text.as_bytes()));
        Ok(())
    }
}
