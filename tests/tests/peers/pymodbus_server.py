"""A pymodbus server for our master: 64 registers from 0x100 on, device 5.

Usage: pymodbus_server.py tcp PORT | rtu PATH
Prints one line of JSON when it is about to serve. Ends when it is killed.
"""

import json
import sys

import pymodbus
from pymodbus.server import StartSerialServer, StartTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

device = SimDevice(
    id=5, simdata=[SimData(address=0x100, count=64, values=0, datatype=DataType.REGISTERS)]
)
kind, place = sys.argv[1:3]
print(json.dumps({"version": pymodbus.__version__}), flush=True)
if kind == "tcp":
    StartTcpServer(device, address=("127.0.0.1", int(place)))
else:
    # The C library refuses parity on a pseudo-terminal, which has none.
    StartSerialServer(device, port=place, baudrate=115200, parity="N", bytesize=8, stopbits=1)
