"""pymodbus' client against our server with the libmodbus-ut map.

Usage: pymodbus_client.py tcp HOST:PORT | rtu PATH
Prints one line of JSON: version, functions, requests, checks. Any failed check ends it.
"""

import json
import sys

import pymodbus
from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.pdu import ExceptionResponse

UNIT = 17
COILS, INPUTS, REGISTERS, INPUT_REGISTER = 0x130, 0x1C4, 0x160, 0x108
done = {"requests": 0, "checks": 0}
functions = set()


def check(what, got, expected):
    done["checks"] += 1
    if got != expected:
        sys.exit(f"{what}: {got!r} instead of {expected!r}")


def ask(what, answer):
    done["requests"] += 1
    functions.add(answer.function_code & 0x7F)
    check(f"{what} is answered", answer.isError(), False)
    return answer


def refused(what, answer, code):
    done["requests"] += 1
    check(f"{what} is refused", isinstance(answer, ExceptionResponse), True)
    check(what, answer.exception_code, code)


def connect(kind, place):
    if kind == "tcp":
        host, port = place.rsplit(":", 1)
        return ModbusTcpClient(host, port=int(port), timeout=3, retries=0)
    return ModbusSerialClient(place, baudrate=115200, parity="N", timeout=3, retries=0)


def coils(client):
    pattern = [bit % 3 == 0 for bit in range(37)]
    ask("FC 15", client.write_coils(COILS, pattern, device_id=UNIT))
    got = ask("FC 01", client.read_coils(COILS, count=37, device_id=UNIT))
    check("coils", got.bits[:37], pattern)
    ask("FC 05", client.write_coil(COILS + 1, True, device_id=UNIT))
    got = ask("FC 01", client.read_coils(COILS, count=3, device_id=UNIT))
    check("coils", got.bits[:3], [True, True, False])
    refused("FC 01 behind the end", client.read_coils(COILS, count=38, device_id=UNIT), 2)
    got = ask("FC 02", client.read_discrete_inputs(INPUTS, count=22, device_id=UNIT))
    expected = [byte >> bit & 1 == 1 for byte in (0xAC, 0xDB, 0x35) for bit in range(8)][:22]
    check("inputs", got.bits[:22], expected)


def registers(client):
    values = [(0x1111 * n) & 0xFFFF for n in range(16)]
    ask("FC 16", client.write_registers(REGISTERS, values, device_id=UNIT))
    got = ask("FC 03", client.read_holding_registers(REGISTERS, count=16, device_id=UNIT))
    check("registers", got.registers, values)
    ask("FC 06", client.write_register(REGISTERS + 3, 0x12, device_id=UNIT))
    ask(
        "FC 22",
        client.mask_write_register(
            address=REGISTERS + 3, and_mask=0xF2, or_mask=0x25, device_id=UNIT
        ),
    )
    got = ask("FC 03", client.read_holding_registers(REGISTERS + 3, count=1, device_id=UNIT))
    check("masked", got.registers, [0x17])
    got = ask("FC 04", client.read_input_registers(INPUT_REGISTER, count=1, device_id=UNIT))
    check("input register", got.registers, [10])
    for n in range(20):
        got = ask(
            "FC 23",
            client.readwrite_registers(
                read_address=REGISTERS,
                read_count=4,
                write_address=REGISTERS + 2,
                values=[n, n ^ 0xFFFF],
                device_id=UNIT,
            ),
        )
        check("written before it is read", got.registers, [0, 0x1111, n, n ^ 0xFFFF])
    refused(
        "FC 23 outside the map",
        client.readwrite_registers(
            read_address=REGISTERS, read_count=1, write_address=0, values=[1], device_id=UNIT
        ),
        2,
    )


def diagnostics(client):
    got = ask("FC 08/00", client.diag_query_data(b"\xa5\x37", device_id=UNIT))
    check("echo", bytes(got.message), b"\xa5\x37")
    ask("FC 08/0A", client.diag_clear_counters(device_id=UNIT))
    ask("FC 03", client.read_holding_registers(REGISTERS, count=1, device_id=UNIT))
    refused("FC 03", client.read_holding_registers(0, count=1, device_id=UNIT), 2)
    got = ask("FC 08/0D", client.diag_read_bus_exception_error_count(device_id=UNIT))
    check("one exception since", got.message, 1)
    got = ask("FC 08/0E", client.diag_read_device_message_count(device_id=UNIT))
    # Two reads and two questions for counters; whether the clearing itself counts is left open.
    check("messages since", got.message in (4, 5), True)
    got = ask("FC 17", client.report_device_id(device_id=UNIT))
    # pymodbus takes the last byte for the run status; the specification puts it behind the id.
    check("server id, running", bytes(got.identifier), bytes([UNIT, 0xFF]) + b"sortlin")
    got = ask("FC 43/14", client.read_device_information(read_code=1, object_id=0, device_id=UNIT))
    check("vendor and product", [got.information[0], got.information[1]], [b"sortline", b"libmodbus-ut"])
    got = ask("FC 43/14", client.read_device_information(read_code=4, object_id=1, device_id=UNIT))
    check("one object", got.information, {1: b"libmodbus-ut"})


def main():
    client = connect(*sys.argv[1:3])
    check("connected", client.connect(), True)
    for part in (coils, registers, diagnostics):
        part(client)
    client.close()
    expected = {1, 2, 3, 4, 5, 6, 8, 15, 16, 17, 22, 23, 43}
    check("functions", functions, expected)
    print(json.dumps({"version": pymodbus.__version__, "functions": sorted(functions), **done}))


main()
