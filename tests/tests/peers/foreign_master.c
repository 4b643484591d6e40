/* A foreign master on libmodbus, beside the host that owns a node.
 *
 * Usage: foreign_master HOST PORT UNIT KIND ROUNDS
 *
 * Reads who the node is and how it is, by several functions. Then tries to command and to
 * acknowledge with an owner word of its own, as the register map describes the exchange; the node
 * must refuse each time and stay as it is. Prints one line of JSON. Any failed check ends it.
 */
#include <errno.h>
#include <modbus.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { IDENTITY = 0x0000, EXCHANGE = 0x0100, EVENTS = 0x0200, STATUS = 0x0300 };
enum { IDENTITY_WORDS = 10, EXCHANGE_WORDS = 18, STATUS_WORDS = 26 };
enum { SET_OUTPUT = 4, NOT_OWNER = 3, WRONG_BOOT = 4, FOREIGN_OWNER = 4242 };

static int requests, checks;
static modbus_t *line;

static void check(int holds, const char *what)
{
    checks++;
    if (!holds) {
        fprintf(stderr, "%s (%s)\n", what, modbus_strerror(errno));
        exit(1);
    }
}

/* CRC-16/IBM-3740, bit by bit. */
static uint16_t crc_byte(uint16_t crc, uint8_t byte)
{
    crc ^= (uint16_t)(byte << 8);
    for (int bit = 0; bit < 8; bit++)
        crc = (uint16_t)(crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1);
    return crc;
}

static uint16_t check_word(uint8_t slave, const uint16_t *words, int count)
{
    uint16_t crc = crc_byte(0xFFFF, slave);
    crc = crc_byte(crc_byte(crc, words[0] >> 8), words[0] & 0xFF);
    for (int i = 0; i < count; i++)
        crc = crc_byte(crc_byte(crc, words[i] >> 8), words[i] & 0xFF);
    return crc;
}

static void holding(int address, int count, uint16_t *words)
{
    requests++;
    check(modbus_read_registers(line, address, count, words) == count, "FC 03 reads a block");
}

/* Takes exactly so many bytes from the connection, within three seconds each time. */
static void take(uint8_t *bytes, int length)
{
    struct pollfd socket = {modbus_get_socket(line), POLLIN, 0};
    for (int got = 0; got < length;) {
        check(poll(&socket, 1, 3000) == 1, "an answer comes");
        ssize_t now = recv(socket.fd, bytes + got, (size_t)(length - got), 0);
        check(now > 0, "an answer is whole");
        got += (int)now;
    }
}

/* Sends a PDU behind the unit and returns the length of the answer's PDU. libmodbus' own receiver
 * does not know how long the answers of FC 08 and FC 43 are, so they are taken from the socket. */
static int raw(const uint8_t *pdu, int length, uint8_t *answer)
{
    uint8_t request[64], head[7];
    request[0] = (uint8_t)modbus_get_slave(line);
    memcpy(request + 1, pdu, (size_t)length);
    requests++;
    check(modbus_send_raw_request(line, request, length + 1) > 0, "a raw request leaves");
    take(head, sizeof head);
    int rest = (head[4] << 8 | head[5]) - 1;
    check(head[6] == request[0] && rest > 0 && rest <= 253, "the answer's header fits");
    take(answer, rest);
    return rest;
}

static void diagnostics(int kind, uint16_t *identity)
{
    uint16_t words[STATUS_WORDS];
    uint8_t answer[MODBUS_TCP_MAX_ADU_LENGTH], id[256];
    holding(IDENTITY, IDENTITY_WORDS, identity);
    check(identity[0] == kind, "the node is of the kind expected");
    requests++;
    check(modbus_read_input_registers(line, IDENTITY, IDENTITY_WORDS, words) == IDENTITY_WORDS,
          "FC 04 reads the same block");
    check(memcmp(words, identity, IDENTITY_WORDS * 2) == 0, "FC 04 reads the same words");
    const uint8_t echo[] = {0x08, 0, 0, 0xA5, 0x37};
    check(raw(echo, 5, answer) == 5 && memcmp(answer, echo, 5) == 0, "FC 08 returns the data");
    const uint8_t messages[] = {0x08, 0, 0x0B, 0, 0};
    check(raw(messages, 5, answer) == 5 && answer[3] + answer[4] > 0, "FC 08 counts messages");
    requests++;
    check(modbus_report_slave_id(line, sizeof id, id) > 2 && id[1] == 0xFF, "FC 17: it runs");
    const uint8_t device[] = {0x2B, 0x0E, 1, 0};
    check(raw(device, 4, answer) > 10 && answer[0] == 0x2B && answer[6] == 3, "FC 43/14: 3 objects");
}

/* One exchange; returns the verdict. */
static int exchange(uint16_t *block, int words, uint16_t token, uint16_t *read)
{
    block[0] = token;
    block[EXCHANGE_WORDS - 1] =
        check_word((uint8_t)modbus_get_slave(line), block, EXCHANGE_WORDS - 1);
    requests++;
    check(modbus_write_and_read_registers(line, EXCHANGE, EXCHANGE_WORDS, block, EVENTS, words,
                                          read) == words, "FC 23 is answered");
    check(read[0] == token, "the token comes back");
    check(read[words - 1] == check_word((uint8_t)modbus_get_slave(line), read, words - 1),
          "the answer's check word fits");
    return read[5];
}

int main(int argc, char **argv)
{
    check(argc == 6, "five arguments");
    line = modbus_new_tcp(argv[1], atoi(argv[2]));
    check(line && modbus_set_slave(line, atoi(argv[3])) == 0, "a unit");
    check(modbus_connect(line) == 0, "connected");
    uint16_t identity[IDENTITY_WORDS], before[STATUS_WORDS], status[STATUS_WORDS];
    uint16_t read[MODBUS_MAX_READ_REGISTERS], block[EXCHANGE_WORDS];
    diagnostics(atoi(argv[4]), identity);
    holding(STATUS, STATUS_WORDS, before);
    uint16_t owner = before[0x0A];
    check(owner != 0 && owner != FOREIGN_OWNER, "the host owns the node");
    int words = identity[7], rounds = atoi(argv[5]);
    for (int round = 0; round < rounds; round++) {
        holding(STATUS, STATUS_WORDS, status);
        check(status[0x0A] == owner, "the host still owns it");
        /* Acknowledge everything that waits, and switch output 0 over. */
        holding(EVENTS, words, read);
        memset(block, 0, sizeof block);
        block[1] = FOREIGN_OWNER;
        block[2] = identity[2];
        block[3] = (uint16_t)(read[2] + (read[3] & 0xFF) - 1);
        block[4] = (uint16_t)(status[0x14] + 1);
        block[5] = SET_OUTPUT;
        block[8] = !(status[9] & 1);
        check(exchange(block, words, (uint16_t)(0x5000 + round), read) == NOT_OWNER, "not owner");
        block[1] = owner;
        block[2] = (uint16_t)(identity[2] + 1);
        check(exchange(block, words, (uint16_t)(0x6000 + round), read) == WRONG_BOOT, "wrong boot");
        block[EXCHANGE_WORDS - 1] ^= 1;
        requests++;
        check(modbus_write_and_read_registers(line, EXCHANGE, EXCHANGE_WORDS, block, EVENTS, words,
                                              read) == -1 && errno == EMBXILVAL,
              "a wrong check word is refused by exception 03");
    }
    holding(STATUS, STATUS_WORDS, status);
    check(status[0x0A] == owner, "the host owns it in the end");
    check((status[9] & 1) == (before[9] & 1), "output 0 is as it was");
    check(status[0x12] == before[0x12], "not even an acknowledgement out of range was counted");
    printf("{\"libmodbus\": \"%d.%d.%d\", \"requests\": %d, \"checks\": %d}\n", libmodbus_version_major,
           libmodbus_version_minor, libmodbus_version_micro, requests, checks);
    modbus_close(line);
    modbus_free(line);
    return 0;
}
