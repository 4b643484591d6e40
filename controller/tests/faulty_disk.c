/* Makes the disk under a journal fail, for a program that is started with it preloaded.
 *
 * Only files below a directory named "journal" are hit. The file named by SORTLINE_DISK holds one
 * word: "full" fails writes with ENOSPC, "broken" fails syncs with EIO, "slow" delays syncs by
 * 700 ms; anything else lets all pass. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char mode_for(int fd)
{
    char link[64], path[4096], word = 'o';
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 'o';
    path[length] = 0;
    const char *control = getenv("SORTLINE_DISK");
    if (control == NULL || strstr(path, "/journal/") == NULL)
        return 'o';
    int file = open(control, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 'o';
    if (read(file, &word, 1) != 1)
        word = 'o';
    close(file);
    return word;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "write");
    if (fd > 2 && mode_for(fd) == 'f') {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, bytes, count);
}

static ssize_t hit_pwrite(const char *name, int fd, const void *bytes, size_t count, off_t at)
{
    ssize_t (*real)(int, const void *, size_t, off_t);
    *(void **)&real = dlsym(RTLD_NEXT, name);
    if (mode_for(fd) == 'f') {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
    return hit_pwrite("pwrite", fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at)
{
    return hit_pwrite("pwrite64", fd, bytes, count, at);
}

static int hit_sync(const char *name, int fd)
{
    int (*real)(int);
    char mode = mode_for(fd);
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
