/* Makes the disk under a journal fail, for a program that is started with it preloaded.
 *
 * Only files below a directory named "journal" are hit, and by "full" those below "flight" too. The
 * file named by SORTLINE_DISK holds one word: "full" fails writes with ENOSPC, "broken" fails syncs
 * with EIO, "eio" fails writes and "unreadable" fails reads with EIO, "halved" writes half of what it
 * is given, and nothing of a single byte, "slow" delays syncs by 700 ms, "pinned" holds writes to
 * anything but a write-ahead log until the word changes, and says so in a file named like the word's
 * with ".held" behind it; anything else lets all pass. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char mode_of(const char *path)
{
    char word = 'o';
    const char *control = getenv("SORTLINE_DISK");
    int journal = strstr(path, "/journal/") != NULL, flight = strstr(path, "/flight/") != NULL;
    if (control == NULL || (!journal && !flight))
        return 'o';
    int file = open(control, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 'o';
    if (read(file, &word, 1) != 1)
        word = 'o';
    close(file);
    return journal || word == 'f' ? word : 'o';
}

/* Waits until the disk is no more pinned; says in a file that something waits. */
static void hold(const char *path)
{
    char held[4096];
    struct timespec delay = {0, 5000000};
    size_t length = strlen(path);
    if (length > 4 && strcmp(path + length - 4, "-wal") == 0)
        return;
    while (mode_of(path) == 'p') {
        snprintf(held, sizeof held, "%s.held", getenv("SORTLINE_DISK"));
        int file = open(held, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (file >= 0)
            close(file);
        nanosleep(&delay, NULL);
    }
}

static char mode_for(int fd, int writes)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 'o';
    path[length] = 0;
    char word = mode_of(path);
    if (writes && word == 'p')
        hold(path);
    return word;
}

/* What a write must fail with; 0 when it may pass. `count` becomes what is written before. */
static int refuses(int fd, size_t *count)
{
    switch (mode_for(fd, 1)) {
    case 'f':
        *count = 0;
        return ENOSPC;
    case 'e':
        *count = 0;
        return EIO;
    case 'h':
        *count /= 2;
        return ENOSPC;
    default:
        return 0;
    }
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "write");
    int why = fd > 2 ? refuses(fd, &count) : 0;
    ssize_t done = why != 0 && count == 0 ? -1 : real(fd, bytes, count);
    if (why != 0 && done <= 0) {
        errno = why;
        return -1;
    }
    return done;
}

static ssize_t hit_pwrite(const char *name, int fd, const void *bytes, size_t count, off_t at)
{
    ssize_t (*real)(int, const void *, size_t, off_t);
    *(void **)&real = dlsym(RTLD_NEXT, name);
    int why = refuses(fd, &count);
    ssize_t done = why != 0 && count == 0 ? -1 : real(fd, bytes, count, at);
    if (why != 0 && done <= 0) {
        errno = why;
        return -1;
    }
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
    return hit_pwrite("pwrite", fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at)
{
    return hit_pwrite("pwrite64", fd, bytes, count, at);
}

static ssize_t hit_pread(const char *name, int fd, void *bytes, size_t count, off_t at)
{
    ssize_t (*real)(int, void *, size_t, off_t);
    *(void **)&real = dlsym(RTLD_NEXT, name);
    if (mode_for(fd, 0) == 'u') {
        errno = EIO;
        return -1;
    }
    return real(fd, bytes, count, at);
}

ssize_t pread(int fd, void *bytes, size_t count, off_t at)
{
    return hit_pread("pread", fd, bytes, count, at);
}

ssize_t pread64(int fd, void *bytes, size_t count, off_t at)
{
    return hit_pread("pread64", fd, bytes, count, at);
}

static int hit_sync(const char *name, int fd)
{
    int (*real)(int);
    char mode = mode_for(fd, 0);
    *(void **)&real = dlsym(RTLD_NEXT, name);
    if (mode == 'b') {
        errno = EIO;
        return -1;
    }
    if (mode == 's') {
        struct timespec delay = {0, 700000000};
        nanosleep(&delay, NULL);
    }
    return real(fd);
}

int fsync(int fd)
{
    return hit_sync("fsync", fd);
}

int fdatasync(int fd)
{
    return hit_sync("fdatasync", fd);
}
