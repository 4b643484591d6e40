//! Who answers at a unit: our identity block, device identification, server id.

use modbus::pdu::{self, Access, Response};
use registers::map::IDENTITY_WORDS;
use registers::{NodeKind, Reader, objects};
use serde_json::{Value, json};

use super::client::{Client, Reply, encoded};
use super::fault::ToolFault;

/// Requests that one device may need for its objects; a device that never ends is cut off.
const PAGES_MAX: usize = 8;

/// A node's identity block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// Its kind, or the word that is none.
    pub(super) kind: Result<NodeKind, u16>,
    /// Version of its register map.
    pub(super) map_version: u16,
    /// This boot's id.
    pub(super) boot_id: u16,
    /// Its serial number.
    pub(super) serial_number: u32,
    /// First 32 bits of the hash of its firmware.
    pub(super) firmware_hash: u32,
    /// Check word over its settings.
    pub(super) settings_hash: u16,
}

impl Identity {
    /// Reads the words of the block; `None` when they are of no node of ours.
    pub(super) fn parse(words: &[u16]) -> Option<Self> {
        if words.len() != usize::from(IDENTITY_WORDS) {
            return None;
        }
        let mut read = Reader::new(words);
        let kind = read.u16()?;
        let kind = NodeKind::from_word(kind).ok_or(kind);
        let (map_version, boot_id) = (read.u16()?, read.u16()?);
        let (serial_number, firmware_hash) = (read.u32()?, read.u32()?);
        let (event_words, settings_hash) = (read.u16()?, read.u16()?);
        // A foreign device may have registers there too; these two tie the block to its kind.
        let fits = kind.is_ok_and(|kind| kind.event_words() == event_words) && boot_id != 0;
        let other = map_version != registers::MAP_VERSION && (1..100).contains(&map_version);
        let known = other && kind.is_ok() && boot_id != 0 && (9..=125).contains(&event_words);
        (fits || known).then_some(Self {
            kind,
            map_version,
            boot_id,
            serial_number,
            firmware_hash,
            settings_hash,
        })
    }

    /// The kind's name, or its number.
    pub(super) fn kind_name(&self) -> String {
        match self.kind {
            Ok(kind) => kind.name().to_owned(),
            Err(word) => format!("kind {word}"),
        }
    }

    /// The block for programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "kind": self.kind_name(),
            "map_version": self.map_version,
            "boot_id": self.boot_id,
            "serial_number": self.serial_number,
            "firmware_hash": format!("{:08X}", self.firmware_hash),
            "settings_hash": self.settings_hash,
        })
    }
}

/// Reads the identity of a unit that must be a node of ours, of this map and perhaps of one kind.
pub(super) async fn require(
    client: &mut Client,
    unit: u8,
) -> Result<(Identity, NodeKind), ToolFault> {
    let node = client.target().call(unit);
    let words = match client.identity(unit).await? {
        Reply::Words(words) => words,
        Reply::Exception(code) => {
            return Err(ToolFault::Exception { node, what: "read the identity".to_owned(), code });
        }
        Reply::Silent { .. } => return Err(ToolFault::Silent { node, what: "the identity" }),
        Reply::Done(_) => return Err(ToolFault::Nonsense { node, what: "identity" }),
    };
    let identity = Identity::parse(&words)
        .ok_or(ToolFault::Nonsense { node: node.clone(), what: "identity" })?;
    if identity.map_version != registers::MAP_VERSION {
        return Err(ToolFault::WrongMap { node, got: identity.map_version });
    }
    let kind =
        identity.kind.map_err(|_| ToolFault::Nonsense { node: node.clone(), what: "node kind" })?;
    match client.target().node(unit) {
        Some(known) if known.kind != kind => Err(ToolFault::WrongKind {
            node,
            expected: known.kind.name(),
            got: kind.name().to_owned(),
        }),
        Some(_) | None => Ok((identity, kind)),
    }
}

/// What a device says of itself in the ways of the specification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Objects {
    /// Objects of FC 43/14, by id.
    pub(super) device: Vec<(u8, String)>,
    /// Data of FC 17, when FC 43/14 is not served.
    pub(super) server_id: Option<Vec<u8>>,
}

impl Objects {
    /// Asks for the objects by FC 43/14, else for the server id by FC 17.
    ///
    /// # Errors
    /// When the bus has gone.
    pub(super) async fn of(client: &mut Client, unit: u8) -> Result<Self, ToolFault> {
        let mut objects = Self::default();
        for access in [Access::Extended, Access::Regular, Access::Basic] {
            if objects.stream(client, unit, access).await? {
                return Ok(objects);
            }
            objects.device.clear();
        }
        let request = encoded(pdu::server_id);
        if let Reply::Done(answer) = client.ask(unit, &request).await?
            && let Ok(Response::ServerId(data)) = Response::parse(&request, &answer)
        {
            objects.server_id = Some(data.to_vec());
        }
        Ok(objects)
    }

    /// Reads one stream of objects; false when the device does not serve it.
    async fn stream(
        &mut self,
        client: &mut Client,
        unit: u8,
        access: Access,
    ) -> Result<bool, ToolFault> {
        let mut first = 0;
        for _ in 0..PAGES_MAX {
            let request = encoded(|out| pdu::device_id(access, first, out));
            let Reply::Done(answer) = client.ask(unit, &request).await? else { return Ok(false) };
            let Ok(Response::DeviceId(page)) = Response::parse(&request, &answer) else {
                return Ok(false);
            };
            let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
            self.device.extend(page.objects().map(|(id, value)| (id, text(value))));
            match page.next {
                Some(next) if next > first => first = next,
                Some(_) | None => return Ok(true),
            }
        }
        Ok(true)
    }

    /// The name of an object: ours, else its number.
    pub(super) fn name(id: u8) -> String {
        let ours = objects::OBJECTS.iter().find(|object| object.id == id);
        ours.map_or_else(|| format!("object_{id:02X}"), |object| object.name.to_owned())
    }

    /// Vendor, product and revision in one line; `None` when nothing was said.
    pub(super) fn line(&self) -> Option<String> {
        if let Some(data) = &self.server_id {
            let text = data.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>();
            return Some(format!("server id {}", text.join(" ")));
        }
        let basic = [objects::VENDOR_NAME, objects::PRODUCT_CODE, objects::REVISION];
        let said = basic.iter().filter_map(|id| self.device.iter().find(|(own, _)| own == id));
        let said: Vec<&str> = said.map(|(_, value)| value.as_str()).collect();
        (!said.is_empty()).then(|| said.join(" "))
    }

    /// The objects for programs.
    pub(super) fn json(&self) -> Value {
        let objects = self.device.iter().map(|(id, value)| (Self::name(*id), json!(value)));
        let mut map: serde_json::Map<String, Value> = objects.collect();
        if let Some(data) = &self.server_id {
            let text: String = data.iter().map(|byte| format!("{byte:02X}")).collect();
            map.insert("server_id".to_owned(), json!(text));
        }
        Value::Object(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_block_that_fits_its_kind_is_ours() {
        let words = [2, registers::MAP_VERSION, 7, 1, 2, 0xAABB, 0xCCDD, 28, 9, 2];
        let identity = Identity::parse(&words).expect("a diverter");
        assert_eq!(identity.kind, Ok(NodeKind::Diverter));
        assert_eq!((identity.serial_number, identity.firmware_hash), (0x0001_0002, 0xAABB_CCDD));
        let mut foreign = words;
        foreign[7] = 64;
        assert_eq!(Identity::parse(&foreign), None, "another length than the kind's");
        let mut old = words;
        old[1] = registers::MAP_VERSION - 1;
        assert_eq!(Identity::parse(&old).expect("known by its version").map_version, old[1]);
        assert_eq!(Identity::parse(&words[..9]), None);
        assert_eq!(Identity::parse(&[0; 10]), None);
    }
}
