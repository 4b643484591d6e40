//! A serial line: requests and answers as characters that everybody hears.

use super::air::{Reading, Transmission};
use super::forge::{elsewhere, framed, other_data, with_right_crc};
use super::machine::{Bridge, Effect, Event, Sound, Speaker, TURN_AROUND_US};
use super::tally::Class;
use modbus::rtu::{BROADCAST, Timing};

/// A babbling node's bytes come in pieces of this length, in µs.
const BABBLE_US: u64 = 1_000;
/// Another master speaks this long after the collision, in µs: within the host's time-out.
const OTHER_US: [u64; 2] = [2_500, 9_000];
/// Noise comes within this time after a request, in µs: before, in or behind the answer.
const NOISE_US: [u64; 2] = [0, 20_000];

/// What happens at a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Lost,
    Duplicated,
    Corrupt,
    Truncated,
    Echo,
    Foreign,
    SecondMaster,
    Reboot,
    Unplug,
    Noise,
    Babble,
}

/// What happens at an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    Lost,
    Duplicated,
    Late,
    VeryLate,
    Corrupt,
    Truncated,
    Clash,
    Split,
    Merged,
}

impl Bridge {
    pub(super) fn send_serial(&mut self, now: u64, frame: &[u8], timing: Timing) {
        let faults = &self.faults;
        let fate = [
            (faults.lost_requests, Asked::Lost),
            (faults.duplicated_requests, Asked::Duplicated),
            (faults.corrupt_requests, Asked::Corrupt),
            (faults.truncated_requests, Asked::Truncated),
            (faults.echoes, Asked::Echo),
            (faults.foreign, Asked::Foreign),
            (faults.second_masters, Asked::SecondMaster),
            (faults.reboots, Asked::Reboot),
            (faults.unplugs, Asked::Unplug),
            (faults.noise, Asked::Noise),
            (faults.babble, Asked::Babble),
        ];
        let mut bytes = frame.to_vec();
        match self.fate(&fate) {
            None => {}
            Some(Asked::Lost) => {
                self.tally.count(Class::LostRequests);
                return self.touched(now, timing);
            }
            // What repeats a request is a gateway that misses the answer: never a broadcast.
            Some(Asked::Duplicated) if frame.first() == Some(&BROADCAST) => {}
            Some(Asked::Duplicated) => {
                self.tally.count(Class::DuplicatedRequests);
                let again = now + timing.silence().0 + self.rng.span(OTHER_US);
                self.speak(Speaker::Host, again, frame, timing);
            }
            Some(Asked::Corrupt) => {
                self.tally.count(Class::CorruptRequests);
                bytes = with_right_crc(frame, &mut self.rng);
            }
            Some(Asked::Truncated) => {
                self.tally.count(Class::TruncatedRequests);
                bytes.truncate(1 + self.rng.index(frame.len() - 1));
            }
            Some(Asked::Echo) => {
                self.tally.count(Class::Echoes);
                self.hand_over(now, bytes.clone(), Reading::Whole);
            }
            Some(Asked::Foreign) => return self.foreign(now, timing),
            Some(Asked::SecondMaster) => return self.second_master(now, timing),
            Some(Asked::Reboot) => {
                let answer = timing.silence().0 + TURN_AROUND_US[1] + timing.wire_time(60).0;
                self.reboot(now, answer);
            }
            Some(Asked::Unplug) => {
                self.tally.count(Class::Unplugs);
                let at = now + self.rng.span(NOISE_US);
                self.later(at, Effect::PortLost);
            }
            Some(Asked::Noise) => self.noise(now, timing),
            Some(Asked::Babble) => self.begin_babble(now),
        }
        let characters = self.channel.pass(&bytes, timing, &mut self.rng, &mut self.tally);
        let start = now.saturating_sub(timing.wire_time(bytes.len()).0);
        let request = Transmission {
            end: now,
            ..Transmission::new(Speaker::Host, start, characters, timing)
        };
        self.put(request, timing);
    }

    pub(super) fn reply_serial(&mut self, now: u64, station: usize, frame: &[u8], timing: Timing) {
        let faults = &self.faults;
        let (late, very_late) = (faults.late_ms, faults.very_late_ms);
        let fate = [
            (faults.lost_answers, Answered::Lost),
            (faults.duplicated_answers, Answered::Duplicated),
            (faults.late, Answered::Late),
            (faults.very_late, Answered::VeryLate),
            (faults.corrupt_answers, Answered::Corrupt),
            (faults.truncated_answers, Answered::Truncated),
            (faults.clashes, Answered::Clash),
            (faults.split, Answered::Split),
            (faults.merged, Answered::Merged),
        ];
        let mut start = now + timing.silence().0 + self.rng.span(TURN_AROUND_US);
        let mut bytes = frame.to_vec();
        let mut reading = Reading::Whole;
        let speaker = Speaker::Station(station);
        match self.fate(&fate) {
            None => {}
            Some(Answered::Lost) => {
                self.tally.count(Class::LostAnswers);
                return self.touched(start + timing.wire_time(bytes.len()).0, timing);
            }
            Some(Answered::Duplicated) => {
                self.tally.count(Class::DuplicatedAnswers);
                let end = start + timing.wire_time(bytes.len()).0;
                let again = end + timing.silence().0 + self.rng.span(OTHER_US);
                self.speak(speaker, again, &bytes, timing);
            }
            Some(Answered::Late) => {
                self.tally.count(Class::Late);
                start += self.rng.span(late.map(|ms| ms * 1_000));
            }
            Some(Answered::VeryLate) => {
                self.tally.count(Class::VeryLate);
                start += self.rng.span(very_late.map(|ms| ms * 1_000));
            }
            Some(Answered::Corrupt) => {
                self.tally.count(Class::CorruptAnswers);
                bytes = with_right_crc(frame, &mut self.rng);
            }
            Some(Answered::Truncated) => {
                self.tally.count(Class::TruncatedAnswers);
                bytes.truncate(1 + self.rng.index(frame.len() - 1));
            }
            Some(Answered::Clash) => {
                self.tally.count(Class::Clashes);
                let other = other_data(frame, &mut self.rng);
                let from = now + timing.silence().0 + self.rng.span(TURN_AROUND_US);
                self.speak(Speaker::Stranger, from, &other, timing);
            }
            Some(Answered::Split) => {
                self.tally.count(Class::Split);
                reading = Reading::Split;
            }
            Some(Answered::Merged) => {
                self.tally.count(Class::Merged);
                reading = Reading::Merged;
            }
        }
        let characters = self.channel.pass(&bytes, timing, &mut self.rng, &mut self.tally);
        let answer = Transmission::new(speaker, start, characters, timing);
        self.put(Transmission { reading, ..answer }, timing);
    }

    /// Somebody speaks at `start`.
    fn speak(&mut self, from: Speaker, start: u64, bytes: &[u8], timing: Timing) {
        let characters = self.channel.pass(bytes, timing, &mut self.rng, &mut self.tally);
        self.put(Transmission::new(from, start, characters, timing), timing);
    }

    /// Puts a transmission on the line; what it meets there becomes one with it.
    fn put(&mut self, mut new: Transmission, timing: Timing) {
        while let Some(number) =
            self.aired.iter().find(|(_, old)| old.overlaps(&new)).map(|(n, _)| *n)
        {
            if let Some(old) = self.aired.remove(&number) {
                self.tally.count(Class::Collisions);
                new = new.overlaid(&old, timing);
            }
        }
        let number = self.next_number();
        self.enter(new.end, Event::Aired(number));
        self.aired.insert(number, new);
    }

    /// A transmission is over: everybody has heard it.
    pub(super) fn aired(&mut self, at: u64, number: u64) {
        let Some(heard) = self.aired.remove(&number) else { return };
        let Some(timing) = self.timing else { return };
        self.touched(at, timing);
        if at < self.babbles_until {
            return;
        }
        let mut bytes = Vec::with_capacity(heard.characters.len());
        for character in &heard.characters {
            match character {
                Ok(byte) => bytes.push(*byte),
                Err(error) => {
                    if !bytes.is_empty() {
                        let whole = Sound::Bytes(core::mem::take(&mut bytes));
                        self.everybody(at, &whole, heard.from);
                    }
                    self.everybody(at, &Sound::Error(*error), heard.from);
                }
            }
        }
        if !bytes.is_empty() {
            self.everybody(at, &Sound::Bytes(bytes), heard.from);
        }
        if heard.from != Speaker::Host {
            // Without a setting that marks it, a bad character is read as 0x00.
            let read = heard.characters.iter().map(|character| character.unwrap_or(0)).collect();
            self.hand_over(at, read, heard.reading);
        }
    }

    /// The line was busy up to `at`.
    fn touched(&mut self, at: u64, timing: Timing) {
        self.busy_until = self.busy_until.max(at);
        self.enter(at + timing.silence().0, Event::Quiet);
    }

    pub(super) fn quiet(&mut self, at: u64) {
        let Some(timing) = self.timing else { return };
        let speaks = self.aired.values().any(|on_line| on_line.start < at);
        if !speaks && at >= self.busy_until + timing.silence().0 {
            self.everybody(at, &Sound::Silence, Speaker::Noise);
        }
    }

    /// What a station without power had begun ends here.
    pub(super) fn silence_station(&mut self, at: u64, station: usize) {
        let Some(timing) = self.timing else { return };
        let mine = |found: &Transmission| found.from == Speaker::Station(station);
        self.aired.retain(|_, found| !mine(found) || found.start < at);
        let numbers: Vec<u64> =
            self.aired.iter().filter(|(_, found)| mine(found)).map(|(number, _)| *number).collect();
        for number in numbers {
            if let Some(mut found) = self.aired.remove(&number) {
                found.cut(at, timing);
                self.put(found, timing);
            }
        }
    }

    fn foreign(&mut self, now: u64, timing: Timing) {
        self.tally.count(Class::Foreign);
        self.touched(now, timing);
        let [request, answer] = elsewhere(&self.units.clone(), &mut self.rng);
        let start = now + self.rng.span(OTHER_US);
        self.speak(Speaker::Stranger, start, &request, timing);
        let end = start + timing.wire_time(request.len()).0 + timing.silence().0;
        let start = end + self.rng.span(TURN_AROUND_US);
        self.speak(Speaker::Stranger, start, &answer, timing);
    }

    /// Without an exchange to copy, the second master only destroys the host's request.
    fn second_master(&mut self, now: u64, timing: Timing) {
        self.touched(now, timing);
        let Some((unit, pdu)) = self.usurped(now) else {
            return self.tally.count(Class::LostRequests);
        };
        self.tally.count(Class::SecondMaster);
        let start = now + self.rng.span(OTHER_US);
        self.speak(Speaker::SecondMaster, start, &framed(unit, &pdu), timing);
    }

    fn noise(&mut self, now: u64, timing: Timing) {
        self.tally.count(Class::Noise);
        let count = self.rng.span(self.faults.noise_bytes);
        let bytes: Vec<u8> = (0..count)
            .map(|_| match self.rng.below(3) {
                0 => 0x00,
                1 => 0xFF,
                _ => self.rng.half_word().to_be_bytes()[0],
            })
            .collect();
        let start = now + self.rng.span(NOISE_US);
        let characters = bytes.into_iter().map(Ok).collect();
        self.put(Transmission::new(Speaker::Noise, start, characters, timing), timing);
    }

    fn begin_babble(&mut self, now: u64) {
        if now < self.babbles_until {
            return;
        }
        self.tally.count(Class::Babble);
        let start = now + self.rng.span(NOISE_US);
        let span = self.rng.span(self.faults.babble_ms.map(|ms| ms * 1_000));
        self.babbles_until = start + span;
        self.enter(start, Event::Babble);
    }

    pub(super) fn babble(&mut self, at: u64) {
        let Some(timing) = self.timing else { return };
        let count = BABBLE_US / timing.char_time().0.max(1);
        let byte = |_| self.rng.half_word().to_be_bytes()[0];
        let bytes: Vec<u8> = (0..count.max(1)).map(byte).collect();
        self.touched(at, timing);
        self.everybody(at, &Sound::Bytes(bytes.clone()), Speaker::Noise);
        self.hand_over(at, bytes, Reading::Whole);
        if at + BABBLE_US < self.babbles_until {
            self.enter(at + BABBLE_US, Event::Babble);
        }
    }
}
