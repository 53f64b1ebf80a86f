//! E-mails to people: the link is in what is sent, and in nothing that is kept.

use super::post::PostOffice;
use super::world::{actor, ctx, lawful, work, worlds};
use automation::Mailer;
use mail_parser::MessageParser;
use web::Role;
use web::auth::{CreateUser, Vault, create_user, invite, reset_password};

#[tokio::test]
async fn links_are_sent_and_not_kept() {
    for db in worlds().await {
        let office = PostOffice::open();
        let mut ctx = ctx(&db, Mailer::smtp(&office.url, "Čaj & Co <shop@example.com>").unwrap());
        ctx.parts = ctx.parts.with(Vault::new(None, "https://orders.example"));
        let vault = ctx.parts.get::<Vault>().unwrap();
        let new = CreateUser {
            email: "ada@example.com".into(),
            name: "Ada <Byron>".into(),
            role: Role::Owner,
            password: kernel::Secret::new("correct horse battery".into()),
        };
        let ada = create_user(&db.db, &actor(), new).await.unwrap().unwrap();
        let invited =
            db::write!(db.db, &actor(), |tx| invite(tx, "pia@example.com", Role::Picker, true).await);
        let link = invited.unwrap().unwrap().link(&vault, &db.db).await.unwrap();
        db::write!(db.db, &actor(), |tx| reset_password(tx, ada, true).await).unwrap().unwrap();
        work(&ctx).await;
        let letters = office.letters();
        assert_eq!(letters.len(), 2, "{}", db.name);
        let read = |to: &str| {
            let letter = letters.iter().find(|(rcpt, _)| rcpt.iter().any(|r| r == to)).unwrap();
            let mail = MessageParser::default().parse(letter.1.as_slice()).unwrap();
            (
                mail.subject().unwrap().to_owned(),
                mail.body_text(0).unwrap().into_owned(),
                mail.body_html(0).unwrap().into_owned(),
            )
        };
        let (subject, text, html) = read("pia@example.com");
        assert_eq!(subject, "You are invited to Your shop");
        assert!(
            text.contains(&link) && html.contains(&format!("href=\"{link}\"")) && text.contains("picker"),
            "{text}"
        );
        let (_, text, html) = read("ada@example.com");
        assert!(
            text.contains("Hello Ada <Byron>,")
                && text.contains("https://orders.example/new-password?t=usr_"),
            "{text}"
        );
        assert!(html.contains("Ada &lt;Byron&gt;"), "{html}");
        let kept: Vec<String> = db
            .read()
            .column("SELECT body_text || body_html FROM mail UNION ALL SELECT payload FROM event UNION ALL SELECT payload FROM job", [])
            .await
            .unwrap();
        assert!(kept.len() > 4 && kept.iter().all(|text| !text.contains("?t=")), "{}: {kept:?}", db.name);
        lawful(&db).await;
    }
}
