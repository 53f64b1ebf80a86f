//! Lists that a person keeps under a name: a query of the list of orders. Invariant: a person has a name once; the newest query holds.

use db::{FromRow, Sql, Tx};
use kernel::{Actor, Fault};

/// A kept list.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct View {
    pub name: String,
    /// The query string of the list.
    pub query: String,
}

/// The lists of a person, by name.
pub(crate) async fn views(sql: &Sql, owner: &Actor) -> Result<Vec<View>, Fault> {
    sql.all("SELECT name, query FROM order_view WHERE owner = $1 ORDER BY name", [owner.as_str().into()])
        .await
}

/// Keeps a list under a name.
pub(crate) async fn keep(tx: &Tx, owner: &Actor, name: &str, query: &str) -> Result<(), Fault> {
    let text = "INSERT INTO order_view (owner, name, query, created_at) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (owner, name) DO UPDATE SET query = excluded.query";
    tx.exec(text, [owner.as_str().into(), name.into(), query.into(), tx.now().into()]).await?;
    Ok(())
}

/// Forgets a list.
pub(crate) async fn forget(tx: &Tx, owner: &Actor, name: &str) -> Result<(), Fault> {
    tx.exec("DELETE FROM order_view WHERE owner = $1 AND name = $2", [owner.as_str().into(), name.into()])
        .await?;
    Ok(())
}
