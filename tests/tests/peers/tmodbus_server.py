"""A tmodbus server for our master: 64 registers from 0x100 on, unit 5.

Usage: tmodbus_server.py tcp PORT | rtu PATH
Prints one line of JSON when it serves. Ends when it is killed.
"""

import asyncio
import json
import sys

import tmodbus
from tmodbus.exceptions import IllegalDataAddressError
from tmodbus.pdu import (
    ReadHoldingRegistersPDU,
    ReadWriteMultipleRegistersPDU,
    WriteMultipleRegistersPDU,
    WriteSingleRegisterPDU,
)
from tmodbus.server import AsyncRtuServer, AsyncTcpServer, ModbusRequestRouter

FIRST, COUNT = 0x100, 64
held = [0] * COUNT
router = ModbusRequestRouter()


def place(address, quantity, function):
    if address < FIRST or address + quantity > FIRST + COUNT:
        raise IllegalDataAddressError(function)
    return slice(address - FIRST, address - FIRST + quantity)


@router.register(ReadHoldingRegistersPDU, unit_id=5)
async def read(_unit, request):
    return held[place(request.start_address, request.quantity, 3)]


@router.register(WriteSingleRegisterPDU, unit_id=5)
async def write_one(_unit, request):
    held[place(request.address, 1, 6)] = [request.value]
    return request.value


@router.register(WriteMultipleRegistersPDU, unit_id=5)
async def write(_unit, request):
    values = list(request.values)
    held[place(request.start_address, len(values), 16)] = values
    return len(values)


@router.register(ReadWriteMultipleRegistersPDU, unit_id=5)
async def read_write(_unit, request):
    target = place(request.write_start_address, len(request.write_values), 23)
    source = place(request.read_start_address, request.read_quantity, 23)
    held[target] = list(request.write_values)
    return held[source]


async def main():
    kind, where = sys.argv[1:3]
    if kind == "tcp":
        server = AsyncTcpServer("127.0.0.1", router, port=int(where))
    else:
        server = AsyncRtuServer(where, router, baudrate=115200)
    await server.start()
    print(json.dumps({"version": tmodbus.__version__}), flush=True)
    await server.serve_forever()


asyncio.run(main())
