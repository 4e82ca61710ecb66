//! Signed messages, as senders make them and receivers check them.
use std::io::Write as _;
use std::process::{Command, Stdio};

use bellwether_channels::Webhook;
use bellwether_channels::signature::{
    SIGNATURE_HEADER, SignatureError, SigningKey, SigningKeyError, TIMESTAMP_HEADER, sign, timestamp, verify,
};
use bellwether_core::{ManualClock, Secret, SecretSource};
use chrono::TimeDelta;
use proptest::prelude::*;

use crate::notifications::{at, deliver, drawdowns, name};
use crate::server::{Hook as _, Received, Reply, Server};

const OLD: &[u8] = b"the old key, 16 bytes and more";
const NEW: &[u8] = b"\x00\xff the new key, which is no text";

fn key(bytes: &[u8]) -> SigningKey {
    SigningKey::new(&Secret::new(bytes.to_vec())).unwrap()
}

/// A request that a webhook signed at 2008-10-10T14:30:00Z with the new and the old key.
async fn signed() -> Received {
    let folder = tempfile::tempdir().unwrap();
    let kept = |name: &str, key: &[u8]| {
        std::fs::write(folder.path().join(name), key).unwrap();
        SecretSource::File(folder.path().join(name))
    };
    let mut server = Server::start([Reply::status(200)]).await;
    let mut config = server.config();
    config.signing_keys = vec![kept("new", NEW), kept("old", OLD)];
    let hook = Webhook::new(name("hook"), config, &ManualClock::starting_at(at()).shared()).unwrap();
    deliver(&hook, &drawdowns()).await;
    server.request().await
}

#[tokio::test]
async fn a_receiver_with_either_key_believes_the_message_and_one_with_neither_does_not() {
    let request = signed().await;
    let (time, signature) = (request.header(TIMESTAMP_HEADER), request.header(SIGNATURE_HEADER));
    assert_eq!(time, "1223649000");
    let check = |keys: &[SigningKey]| verify(keys, time, signature, &request.body, at());
    assert_eq!(check(&[key(NEW)]), Ok(()));
    assert_eq!(check(&[key(OLD)]), Ok(()));
    assert_eq!(check(&[key(&[7; 32]), key(OLD)]), Ok(()));
    assert_eq!(check(&[key(&[7; 32])]), Err(SignatureError::Mismatch));
    assert_eq!(check(&[]), Err(SignatureError::Mismatch));
}

#[tokio::test]
async fn python_comes_to_the_same_signature() {
    const PROGRAM: &str = r"
import hashlib, hmac, sys
body = sys.stdin.buffer.read()
for key in sys.argv[2:]:
    code = hmac.new(bytes.fromhex(key), sys.argv[1].encode() + b'.' + body, hashlib.sha256)
    print('v1=' + code.hexdigest())
";
    let request = signed().await;
    let hex = |key: &[u8]| key.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let python = Command::new("python3")
        .args(["-c", PROGRAM, request.header(TIMESTAMP_HEADER), &hex(NEW), &hex(OLD)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else {
        println!("skipped: python3");
        return;
    };
    python.stdin.take().unwrap().write_all(&request.body).unwrap();
    let output = python.wait_with_output().unwrap();
    let expected = String::from_utf8(output.stdout).unwrap();
    assert_eq!(request.header(SIGNATURE_HEADER), expected.trim().replace('\n', ","));
}

#[test]
fn a_message_is_believed_for_300_seconds_either_way() {
    let (time, header) = (timestamp(at()), sign(&[key(NEW)], at(), b"{}"));
    let check = |seconds: i64| verify(&[key(NEW)], &time, &header, b"{}", at() + TimeDelta::seconds(seconds));
    for seconds in [-300, 0, 300] {
        assert_eq!(check(seconds), Ok(()));
    }
    for seconds in [-301, 301, 1_000_000_000] {
        assert_eq!(check(seconds), Err(SignatureError::OutsideWindow { seconds }));
    }
    assert_eq!(
        check(301).unwrap_err().to_string(),
        "the message was signed 301 s ago by its timestamp, which is not within 300 s"
    );
}

#[test]
fn a_message_with_another_time_or_without_signature_is_not_believed() {
    let header = sign(&[key(NEW)], at(), b"{}");
    let check = |time: &str, signature: &str| verify(&[key(NEW)], time, signature, b"{}", at());
    assert_eq!(check("1223649001", &header), Err(SignatureError::Mismatch));
    assert_eq!(check("+1223649000", &header), Err(SignatureError::Mismatch));
    for time in ["", "now", "1223649000.5", "99999999999999999999", "9223372036854775807"] {
        assert_eq!(check(time, &header), Err(SignatureError::Timestamp), "{time}");
    }
    for signature in ["", "v2=00", "v1=", &header[3..]] {
        assert_eq!(check("1223649000", signature), Err(SignatureError::Missing), "{signature}");
    }
    let foreign = format!("v0=abc, {header}");
    assert_eq!(check("1223649000", &foreign), Ok(()));
    let flood = format!("{}{header}", format!("v1={},", "0".repeat(64)).repeat(8));
    assert_eq!(
        check("1223649000", &flood),
        Err(SignatureError::Mismatch),
        "only the first eight are looked at"
    );
}

#[test]
fn a_short_key_is_refused_and_none_is_printed() {
    let short = SigningKey::new(&Secret::new(b"MARKER".to_vec())).unwrap_err();
    assert_eq!(short, SigningKeyError { len: 6 });
    assert!(short.to_string().starts_with("signing key of 6 bytes is shorter than 16"));
    assert_eq!(format!("{:?}", key(b"MARKERMARKERMARKER")), "SigningKey { .. }");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_change_of_a_message_is_seen(
        secret in prop::collection::vec(any::<u8>(), 16..200),
        body in prop::collection::vec(any::<u8>(), 1..500),
        changed in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let (time, header) = (timestamp(at()), sign(&[key(&secret)], at(), &body));
        prop_assert_eq!(verify(&[key(&secret)], &time, &header, &body, at()), Ok(()));
        let mut other = body.clone();
        *changed.get_mut(&mut other) ^= 1_u8 << bit;
        prop_assert_eq!(verify(&[key(&secret)], &time, &header, &other, at()), Err(SignatureError::Mismatch));
        let mut other = secret.clone();
        *changed.get_mut(&mut other) ^= 1_u8 << bit;
        prop_assert_eq!(verify(&[key(&other)], &time, &header, &body, at()), Err(SignatureError::Mismatch));
    }
}
