//! What a page is judged by: no error in the console, nothing that shuts people out, and how much it weighs.

use super::Desk;
use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};

const AXE: &str = include_str!(concat!(env!("OUT_DIR"), "/axe.js"));
/// Rules of the web's guidelines at the levels A and AA, and what axe calls best practice.
const RUN: &str = "
const done = arguments[arguments.length - 1];
const rules = { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };
axe.run(document, rules).then(
  (r) => done(r.violations.map((v) => `${v.id} (${v.impact}): ${v.help}\\n` + v.nodes.slice(0, 4).map((n) => `    ${n.html.slice(0, 200)}\\n      ${(n.any[0] ?? n.all[0] ?? n.none[0])?.message ?? ''}`).join('\\n'))),
  (e) => done([String(e)]));
";

/// Bytes that came over the wire for a page.
#[derive(Debug, Clone, Copy)]
pub struct Weight {
    /// All of it, with an empty cache.
    pub total: u64,
    /// The page itself.
    pub page: u64,
}

impl Desk<'_> {
    /// What shuts people out of this page, in light and in dark; one line for each rule that is broken.
    ///
    /// # Panics
    /// When axe does not run.
    pub async fn barriers(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.js(AXE, vec![]).await;
        for theme in ["light", "dark"] {
            self.js(
                "document.documentElement.setAttribute('data-bs-theme', arguments[0])",
                vec![json!(theme)],
            )
            .await;
            let said = self.client.execute_async(RUN, vec![]).await.expect("axe runs");
            found.extend(
                said.as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(|v| format!("{theme}: {v}")),
            );
        }
        found
    }

    /// Fails when the console has an error.
    ///
    /// # Panics
    /// With the errors.
    pub async fn no_errors(&self) {
        let errors = self.errors().await;
        assert!(errors.is_empty(), "errors in the console: {errors:#?}");
    }
    /// The errors in the console since the last look.
    ///
    /// # Panics
    /// When the browser does not say.
    pub async fn errors(&self) -> Vec<String> {
        let said =
            self.client.issue_cmd(Beyond("se/log", json!({ "type": "browser" }))).await.expect("the console");
        let entries = said.as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .filter(|e| e["level"] == "SEVERE")
            .filter_map(|e| e["message"].as_str().map(str::to_owned))
            .collect()
    }

    /// What a page costs in a browser that has seen nothing before.
    ///
    /// # Panics
    /// When the browser does not forget.
    pub async fn weight_of(&self, path: &str) -> Weight {
        self.devtools("Network.clearBrowserCache", json!({})).await;
        self.go(path).await;
        let script = "
            const size = (kind) => performance.getEntriesByType(kind).reduce((sum, e) => sum + e.transferSize, 0);
            const page = size('navigation');
            return [page, page + size('resource')];";
        let sizes = self.js(script, vec![]).await;
        Weight { page: sizes[0].as_u64().unwrap_or(u64::MAX), total: sizes[1].as_u64().unwrap_or(u64::MAX) }
    }
}

/// What chromedriver can do beyond the standard: a path below the session, and what is sent there.
#[derive(Debug)]
pub(super) struct Beyond(pub &'static str, pub Value);

impl WebDriverCompatibleCommand for Beyond {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.0))
    }
    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.1.to_string()))
    }
}
