/* The libmodbus side of the comparison: `server` answers, `client PORT CALLS` measures.
 *
 * Both speak plain libmodbus (LGPL-2.1, linked dynamically, only in this benchmark). The client prints
 * one latency in nanoseconds a line, so that percentiles are computed by one program for all clients. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REGISTERS = 16 };

static long long now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static int fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, modbus_strerror(errno));
    return 1;
}

/* Serves one client after another until it is killed; prints its port first. */
static int server(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) < 0 ||
        listen(listener, 4) < 0 || getsockname(listener, (struct sockaddr *)&address, &length) < 0)
        return fail("listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    modbus_t *context = modbus_new_tcp("127.0.0.1", 1502);
    modbus_mapping_t *map = modbus_mapping_new(0, 0, REGISTERS, 0);
    if (context == NULL || map == NULL)
        return fail("allocate");
    for (int i = 0; i < REGISTERS; i++)
        map->tab_registers[i] = (uint16_t)(0x1000 + i);
    for (;;) {
        if (modbus_tcp_accept(context, &listener) < 0)
            return fail("accept");
        uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
        for (int got = 0; got != -1;) {
            got = modbus_receive(context, query);
            if (got > 0)
                modbus_reply(context, query, got, map);
        }
        modbus_close(context);
    }
}

static int client(int port, int calls) {
    modbus_t *context = modbus_new_tcp("127.0.0.1", port);
    long long *spent = calloc((size_t)calls, sizeof *spent);
    uint16_t words[REGISTERS];
    if (context == NULL || spent == NULL || modbus_connect(context) < 0)
        return fail("connect");
    for (int i = 0; i < calls; i++) {
        long long started = now_ns();
        if (modbus_read_registers(context, 0, REGISTERS, words) != REGISTERS)
            return fail("read");
        spent[i] = now_ns() - started;
        if (words[REGISTERS - 1] != 0x1000 + REGISTERS - 1)
            return fail("compare");
    }
    for (int i = 0; i < calls; i++)
        printf("%lld\n", spent[i]);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "server") == 0)
        return server();
    if (argc == 4 && strcmp(argv[1], "client") == 0)
        return client(atoi(argv[2]), atoi(argv[3]));
    fprintf(stderr, "server | client PORT CALLS\n");
    return 2;
}
