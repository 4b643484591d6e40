//! Between PDUs of our codec and the calls and answers of tokio-modbus.

use std::borrow::Cow;

use modbus::pdu::{self, Access};
use tokio_modbus::prelude::{ReadCode, ReadDeviceIdentificationResponse};
use tokio_modbus::{Request as Call, Response};

/// The call that carries this request PDU; `None` when it is malformed.
pub(super) fn call_of(pdu: &[u8]) -> Option<Call<'_>> {
    let words = |words: pdu::Words<'_>| Cow::Owned(words.iter().collect::<Vec<u16>>());
    Some(match pdu::Request::parse(pdu).ok()? {
        pdu::Request::ReadCoils { address, quantity } => Call::ReadCoils(address, quantity),
        pdu::Request::ReadDiscrete { address, quantity } => {
            Call::ReadDiscreteInputs(address, quantity)
        }
        pdu::Request::ReadHolding { address, quantity } => {
            Call::ReadHoldingRegisters(address, quantity)
        }
        pdu::Request::ReadInput { address, quantity } => {
            Call::ReadInputRegisters(address, quantity)
        }
        pdu::Request::WriteCoil { address, on } => Call::WriteSingleCoil(address, on),
        pdu::Request::WriteSingle { address, value } => Call::WriteSingleRegister(address, value),
        pdu::Request::WriteCoils { address, bits } => {
            Call::WriteMultipleCoils(address, Cow::Owned(bits.iter().collect()))
        }
        pdu::Request::WriteMultiple { address, words: values } => {
            Call::WriteMultipleRegisters(address, words(values))
        }
        pdu::Request::MaskWrite { address, and, or } => Call::MaskWriteRegister(address, and, or),
        pdu::Request::ReadWrite { read_address, read_quantity, write_address, words: values } => {
            let values = words(values);
            Call::ReadWriteMultipleRegisters(read_address, read_quantity, write_address, values)
        }
        pdu::Request::ServerId => Call::ReportServerId,
        pdu::Request::DeviceId { access, object } => {
            let code = match access {
                Access::Basic => ReadCode::Basic,
                Access::Regular => ReadCode::Regular,
                Access::Extended => ReadCode::Extended,
                Access::Individual => ReadCode::Specific,
            };
            Call::ReadDeviceIdentification(code, object)
        }
        pdu::Request::Echo { .. } | pdu::Request::ClearCounters | pdu::Request::ReadCounter(_) => {
            Call::Custom(pdu::function::DIAGNOSTICS, Cow::Borrowed(pdu.get(1..)?))
        }
    })
}

/// The answer PDU that tokio-modbus took apart.
pub(super) fn pdu_of(request: &[u8], answer: Result<Response, u8>) -> Vec<u8> {
    let function = request.first().copied().unwrap_or_default();
    let counted = |bytes: &[u8]| {
        // A count that does not fit one byte fits no request: the check refuses it.
        [&[function, u8::try_from(bytes.len()).unwrap_or(0)], bytes].concat()
    };
    let registers = |values: Vec<u16>| counted(&wire(&values));
    let echoed = |values: &[u16]| [vec![function], wire(values)].concat();
    match answer {
        Err(exception) => vec![function | pdu::function::EXCEPTION, exception],
        Ok(Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits)) => {
            counted(&bits.chunks(8).map(packed).collect::<Vec<u8>>())
        }
        Ok(
            Response::ReadHoldingRegisters(values)
            | Response::ReadInputRegisters(values)
            | Response::ReadWriteMultipleRegisters(values),
        ) => registers(values),
        Ok(Response::WriteSingleCoil(address, on)) => {
            echoed(&[address, if on { 0xFF00 } else { 0 }])
        }
        Ok(
            Response::WriteSingleRegister(a, b)
            | Response::WriteMultipleCoils(a, b)
            | Response::WriteMultipleRegisters(a, b),
        ) => echoed(&[a, b]),
        Ok(Response::MaskWriteRegister(address, and, or)) => echoed(&[address, and, or]),
        Ok(Response::ReportServerId(id, running, more)) => {
            counted(&[&[id, if running { 0xFF } else { 0 }], &more[..]].concat())
        }
        Ok(Response::ReadDeviceIdentification(answer)) => device_id(function, &answer),
        Ok(Response::Custom(_, bytes)) => [&[function][..], &bytes].concat(),
    }
}

fn wire(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn packed(bits: &[bool]) -> u8 {
    bits.iter().rev().fold(0, |byte, &bit| (byte << 1) | u8::from(bit))
}

fn device_id(function: u8, answer: &ReadDeviceIdentificationResponse) -> Vec<u8> {
    let more = if answer.more_follows { 0xFF } else { 0 };
    // Numbers that do not fit one byte fit no frame either.
    let byte = |len: usize| u8::try_from(len).unwrap_or(0);
    let (code, level) = (answer.read_code.value(), answer.conformity_level.value());
    let count = byte(answer.device_id_objects.len());
    let head =
        [function, pdu::function::DEVICE_ID, code, level, more, answer.next_object_id, count];
    let objects = answer.device_id_objects.iter();
    let objects = objects.flat_map(|o| [&[o.id, byte(o.value.len())], &o.value[..]].concat());
    head.into_iter().chain(objects).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_modbus::prelude::{ConformityLevel, DeviceIdObject};

    /// What tokio-modbus takes apart comes together again as it was on the wire.
    #[test]
    fn requests_of_every_function_have_a_call_and_their_answers_come_back() {
        let object = DeviceIdObject { id: 0x82, value: "17".into() };
        let identified = Response::ReadDeviceIdentification(ReadDeviceIdentificationResponse {
            read_code: ReadCode::Extended,
            conformity_level: ConformityLevel::ExtendedIdentification,
            more_follows: true,
            next_object_id: 0x83,
            device_id_objects: vec![object],
        });
        let bits = vec![true, false, false, false, false, false, false, true];
        let table: Vec<(&[u8], Response, &[u8])> = vec![
            (&[1, 0, 1, 0, 8], Response::ReadCoils(bits.clone()), &[1, 1, 0x81]),
            (&[2, 0, 1, 0, 8], Response::ReadDiscreteInputs(bits), &[2, 1, 0x81]),
            (&[4, 0, 1, 0, 1], Response::ReadInputRegisters(vec![0x1234]), &[4, 2, 0x12, 0x34]),
            (&[5, 0, 1, 0xFF, 0], Response::WriteSingleCoil(1, true), &[5, 0, 1, 0xFF, 0]),
            (&[5, 0, 1, 0, 0], Response::WriteSingleCoil(1, false), &[5, 0, 1, 0, 0]),
            (&[15, 0, 1, 0, 2, 1, 3], Response::WriteMultipleCoils(1, 2), &[15, 0, 1, 0, 2]),
            (&[17], Response::ReportServerId(2, true, vec![7]), &[17, 3, 2, 0xFF, 7]),
            (
                &[22, 0, 1, 0, 2, 0, 3],
                Response::MaskWriteRegister(1, 2, 3),
                &[22, 0, 1, 0, 2, 0, 3],
            ),
            (&[43, 14, 3, 0], identified, &[43, 14, 3, 0x83, 0xFF, 0x83, 1, 0x82, 2, b'1', b'7']),
        ];
        for (request, answer, bytes) in table {
            let function = call_of(request).map(|call| call.function_code().value());
            assert_eq!(function, request.first().copied());
            let found = pdu_of(request, Ok(answer));
            assert_eq!(found, bytes);
            assert!(pdu::Response::parse(request, &found).is_ok(), "{request:?}");
        }
        assert!(call_of(&[5, 0, 1, 0x12, 0x34]).is_none(), "malformed");
        assert_eq!(pdu_of(&[17], Err(1)), [0x91, 1]);
    }
}
