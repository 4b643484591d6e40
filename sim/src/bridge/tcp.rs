//! A TCP bus: whole frames that come late, not at all, twice, or under another number.

use super::air::Reading;
use super::forge::altered;
use super::machine::{Bridge, Effect, Event, NETWORK_US, Speaker};
use super::tally::Class;
use modbus::mbap;

/// A duplicate comes this long after the first, in µs.
const AGAIN_US: [u64; 2] = [100, 15_000];
/// A connection is reset within this time after a request, in µs.
const RESET_US: [u64; 2] = [0, 5_000];

/// What happens at a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Lost,
    Duplicated,
    Corrupt,
    SecondMaster,
    Reboot,
    Reset,
}

/// What happens at an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    Lost,
    Duplicated,
    Late,
    VeryLate,
    Corrupt,
    Split,
    Merged,
    WrongTransaction,
}

impl Bridge {
    pub(super) fn send_tcp(&mut self, now: u64, frame: &[u8]) {
        let faults = &self.faults;
        let fate = [
            (faults.lost_requests, Asked::Lost),
            (faults.duplicated_requests, Asked::Duplicated),
            (faults.corrupt_requests, Asked::Corrupt),
            (faults.second_masters, Asked::SecondMaster),
            (faults.reboots, Asked::Reboot),
            (faults.resets, Asked::Reset),
        ];
        let arrives = now + self.rng.span(NETWORK_US);
        let mut bytes = frame.to_vec();
        match self.fate(&fate) {
            None => {}
            Some(Asked::Lost) => return self.tally.count(Class::LostRequests),
            Some(Asked::Duplicated) => {
                self.tally.count(Class::DuplicatedRequests);
                let again = arrives + self.rng.span(AGAIN_US);
                self.enter(again, Event::Arrives(bytes.clone(), Speaker::Host));
            }
            Some(Asked::Corrupt) => {
                self.tally.count(Class::CorruptRequests);
                self.alter(&mut bytes);
            }
            Some(Asked::SecondMaster) => {
                if let Some((unit, pdu)) = self.usurped(now) {
                    self.tally.count(Class::SecondMaster);
                    let transaction = self.rng.half_word();
                    let frame = mbap::Frame { transaction, unit, pdu: &pdu };
                    let mut forged = [0; mbap::MAX_FRAME];
                    let len = mbap::encode(frame, &mut forged).unwrap_or_default();
                    let at = now + self.rng.span(NETWORK_US);
                    self.enter(at, Event::Arrives(forged[..len].to_vec(), Speaker::SecondMaster));
                }
            }
            Some(Asked::Reboot) => self.reboot(arrives, NETWORK_US[1]),
            Some(Asked::Reset) => {
                self.tally.count(Class::Resets);
                let at = now + self.rng.span(RESET_US);
                self.later(at, Effect::PortLost);
            }
        }
        self.enter(arrives, Event::Arrives(bytes, Speaker::Host));
    }

    pub(super) fn reply_tcp(&mut self, now: u64, frame: &[u8]) {
        if self.hearing != Speaker::Host {
            // It goes to the other client's socket.
            return;
        }
        let faults = &self.faults;
        let (late, very_late) = (faults.late_ms, faults.very_late_ms);
        let fate = [
            (faults.lost_answers, Answered::Lost),
            (faults.duplicated_answers, Answered::Duplicated),
            (faults.late, Answered::Late),
            (faults.very_late, Answered::VeryLate),
            (faults.corrupt_answers, Answered::Corrupt),
            (faults.split, Answered::Split),
            (faults.merged, Answered::Merged),
            (faults.wrong_transactions, Answered::WrongTransaction),
        ];
        let mut at = now + self.rng.span(NETWORK_US);
        let mut bytes = frame.to_vec();
        let mut reading = Reading::Whole;
        match self.fate(&fate) {
            None => {}
            Some(Answered::Lost) => return self.tally.count(Class::LostAnswers),
            Some(Answered::Duplicated) => {
                self.tally.count(Class::DuplicatedAnswers);
                let again = at + self.rng.span(AGAIN_US);
                self.enter(again, Event::ToHost(bytes.clone(), self.opening));
            }
            Some(Answered::Late) => {
                self.tally.count(Class::Late);
                at += self.rng.span(late.map(|ms| ms * 1_000));
            }
            Some(Answered::VeryLate) => {
                self.tally.count(Class::VeryLate);
                at += self.rng.span(very_late.map(|ms| ms * 1_000));
            }
            Some(Answered::Corrupt) => {
                self.tally.count(Class::CorruptAnswers);
                self.alter(&mut bytes);
            }
            Some(Answered::Split) => {
                self.tally.count(Class::Split);
                reading = Reading::Split;
            }
            Some(Answered::Merged) => {
                self.tally.count(Class::Merged);
                reading = Reading::Merged;
            }
            Some(Answered::WrongTransaction) => {
                self.tally.count(Class::WrongTransaction);
                if let Some(number) = bytes.first_chunk_mut() {
                    *number = u16::from_be_bytes(*number).wrapping_sub(1).to_be_bytes();
                }
            }
        }
        match reading {
            Reading::Whole => self.enter(at, Event::ToHost(bytes, self.opening)),
            Reading::Split | Reading::Merged => self.hand_over(at, bytes, reading),
        }
    }

    /// Alters unit or PDU; the header stays one that can be followed.
    fn alter(&mut self, bytes: &mut [u8]) {
        if let Some(content) = bytes.get_mut(6..) {
            altered(content, &mut self.rng);
        }
    }
}
