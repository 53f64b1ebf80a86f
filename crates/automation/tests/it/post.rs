//! An SMTP server: the protocol by the crate `mailin`, a thread for each connection, and a drawer for what came.

use mailin::{Action, Handler, Response, SessionBuilder, response};
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A mail server that answers recipients as it is told.
#[derive(Clone)]
pub struct PostOffice {
    pub url: String,
    letters: Arc<Mutex<Vec<(Vec<String>, Vec<u8>)>>>,
    refuse: Arc<Mutex<Option<Response>>>,
}

impl PostOffice {
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let office = Self { url, letters: Arc::default(), refuse: Arc::default() };
        let clerk = office.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counter = Counter { office: clerk.clone(), to: Vec::new(), letter: Vec::new() };
                std::thread::spawn(move || serve(stream, counter));
            }
        });
        office
    }
    /// Answers every recipient with this from now on.
    pub fn refuses(&self, response: Option<(u16, &str)>) {
        *self.refuse.lock().unwrap() = response.map(|(code, text)| Response::custom(code, text.to_owned()));
    }
    /// Recipients and raw text of what came.
    pub fn letters(&self) -> Vec<(Vec<String>, Vec<u8>)> {
        self.letters.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, counter: Counter) -> Option<()> {
    let mut session = SessionBuilder::new("test.example").build(stream.peer_addr().ok()?.ip(), counter);
    let mut out = stream.try_clone().ok()?;
    let mut lines = BufReader::new(stream);
    session.greeting().write_to(&mut out).ok()?;
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let answer = session.process(&line);
        if !matches!(answer.action, Action::NoReply) {
            answer.write_to(&mut out).ok()?;
            out.flush().ok()?;
        }
        if matches!(answer.action, Action::Close) {
            return Some(());
        }
    }
}

/// One connection.
struct Counter {
    office: PostOffice,
    to: Vec<String>,
    letter: Vec<u8>,
}

impl Handler for Counter {
    fn mail(&mut self, _: IpAddr, _: &str, _: &str) -> Response {
        self.to.clear();
        response::OK
    }
    fn rcpt(&mut self, to: &str) -> Response {
        self.to.push(to.to_owned());
        self.office.refuse.lock().unwrap().clone().unwrap_or(response::OK)
    }
    fn data_start(&mut self, _: &str, _: &str, _: bool, _: &[String]) -> Response {
        self.letter.clear();
        response::OK
    }
    fn data(&mut self, part: &[u8]) -> std::io::Result<()> {
        self.letter.extend_from_slice(part);
        Ok(())
    }
    fn data_end(&mut self) -> Response {
        let letter = (std::mem::take(&mut self.to), std::mem::take(&mut self.letter));
        self.office.letters.lock().unwrap().push(letter);
        response::OK
    }
}
