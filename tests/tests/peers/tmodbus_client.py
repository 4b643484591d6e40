"""tmodbus' client against our server with the libmodbus-ut map.

Usage: tmodbus_client.py tcp HOST:PORT | rtu PATH
Prints one line of JSON: version, requests, checks. Any failed check ends it.
"""

import asyncio
import json
import sys

import tmodbus
from tmodbus.exceptions import IllegalDataAddressError, ServerDeviceBusyError

UNIT = 17
COILS, INPUTS, REGISTERS, INPUT_REGISTER = 0x130, 0x1C4, 0x160, 0x108
done = {"requests": 0, "checks": 0}


def check(what, got, expected):
    done["checks"] += 1
    if got != expected:
        sys.exit(f"{what}: {got!r} instead of {expected!r}")


async def ask(answer):
    done["requests"] += 1
    return await answer


async def refused(what, answer, kind):
    done["requests"] += 1
    try:
        got = await answer
    except kind:
        done["checks"] += 1
    else:
        sys.exit(f"{what}: {got!r} instead of a refusal")


async def coils(client):
    pattern = [bit % 5 == 0 for bit in range(37)]
    await ask(client.write_multiple_coils(COILS, pattern))
    check("coils", await ask(client.read_coils(COILS, 37)), pattern)
    await ask(client.write_single_coil(COILS + 1, True))
    check("coils", await ask(client.read_coils(COILS, 3)), [True, True, False])
    expected = [byte >> bit & 1 == 1 for byte in (0xAC, 0xDB, 0x35) for bit in range(8)][:22]
    check("inputs", await ask(client.read_discrete_inputs(INPUTS, 22)), expected)
    await refused("coils behind the end", client.read_coils(COILS, 38), IllegalDataAddressError)


async def registers(client):
    values = [(0x0F0F * n) & 0xFFFF for n in range(16)]
    await ask(client.write_multiple_registers(REGISTERS, values))
    check("registers", await ask(client.read_holding_registers(REGISTERS, 16)), values)
    await ask(client.write_single_register(REGISTERS + 3, 0x12))
    await ask(client.mask_write_register(REGISTERS + 3, 0xF2, 0x25))
    check("masked", await ask(client.read_holding_registers(REGISTERS + 3, 1)), [0x17])
    check("input register", await ask(client.read_input_registers(INPUT_REGISTER, 1)), [10])
    for n in range(20):
        got = await ask(
            client.read_write_multiple_registers(REGISTERS, 4, REGISTERS + 2, [n, n ^ 0xFFFF])
        )
        check("written before it is read", got, [0, 0x0F0F, n, n ^ 0xFFFF])
    await refused(
        "registers behind the end",
        client.read_holding_registers(REGISTERS, 33),
        IllegalDataAddressError,
    )
    await refused("busy", client.read_holding_registers(0x170, 1), ServerDeviceBusyError)


async def diagnostics(client):
    check("echo", await ask(client.diag_read_query_data(b"\xa5\x37")), b"\xa5\x37")
    await ask(client.diag_clear_counters_and_register())
    await refused("nothing", client.read_holding_registers(0, 1), IllegalDataAddressError)
    check("exceptions", await ask(client.diag_read_bus_exception_error_count()), 1)
    check("CRC errors", await ask(client.diag_read_bus_communication_error_count()), 0)
    check("overruns", await ask(client.diag_read_bus_character_overrun_count()), 0)
    check("no responses", await ask(client.diag_read_server_no_response_count()), 0)
    check("bus messages", await ask(client.diag_read_bus_message_count()) >= 5, True)
    check("own messages", await ask(client.diag_read_server_message_count()) >= 6, True)
    known = await ask(client.read_server_id())
    check("running", known.run_indicator_status, True)
    objects = await ask(client.read_device_identification(1, 0))
    check("objects", (objects[0], objects[1]), (b"sortline", b"libmodbus-ut"))
    check("one object", await ask(client.read_device_identification(4, 1)), {1: b"libmodbus-ut"})


async def main():
    kind, place = sys.argv[1:3]
    options = {"unit_id": UNIT, "timeout": 3.0, "retry_on_device_busy": False}
    if kind == "tcp":
        host, port = place.rsplit(":", 1)
        client = tmodbus.create_async_tcp_client(host, int(port), **options)
    else:
        client = tmodbus.create_async_rtu_client(place, baudrate=115200, **options)
    async with client:
        for part in (coils, registers, diagnostics):
            await part(client)
    print(json.dumps({"version": tmodbus.__version__, **done}))


asyncio.run(main())
