//! The JSON documents of the views: the analysis' value under its schema.

use leakline_analysis::views::{
    ClosuresView, CollectionsView, ContainmentView, ContextsView, DetachedView, DominatorsView,
    NativeContextsView, ObjectView, SearchView, Statistics, StringsView,
};
use serde::Serialize;

/// A view that is a document of its own.
pub trait View: Serialize {
    /// `leakline/NAME/1`
    const SCHEMA: &'static str;
}

/// A view of one file.
#[derive(Clone, Debug, Serialize)]
pub struct ViewDocument<V> {
    /// [`View::SCHEMA`]
    pub schema: &'static str,
    /// The file as it was named.
    pub file: String,
    /// What stands in it.
    #[serde(flatten)]
    pub view: V,
}

impl<V: View> ViewDocument<V> {
    /// Puts a view of this file under its schema.
    pub fn new(file: String, view: V) -> Self {
        Self { schema: V::SCHEMA, file, view }
    }
}

macro_rules! views {
    ($($view:ty = $name:literal),* $(,)?) => {
        $(impl View for $view {
            const SCHEMA: &'static str = concat!("leakline/", $name, "/1");
        })*
    };
}

views! {
    ObjectView = "object",
    ContainmentView = "containment",
    DominatorsView = "dominators",
    Statistics = "stats",
    StringsView = "strings",
    ClosuresView = "closures",
    ContextsView = "contexts",
    CollectionsView = "collections",
    DetachedView = "detached",
    NativeContextsView = "native-contexts",
    SearchView = "search",
}
