/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target once over each file named, and over each file of each directory named. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

static void fail(const char *path, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", path, why);
    exit(1);
}

static void run_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *input = malloc(size); /* exactly the size: the address sanitizer sees a read outside */

    if (!file)
        fail(path, strerror(errno));
    if (!input)
        fail(path, "out of memory");
    if (fread(input, 1, size, file) != size)
        fail(path, "cannot be read whole");
    (void)fclose(file);
    (void)fprintf(stderr, "%s\n", path); /* the last line before a crash names the culprit */
    (void)LLVMFuzzerTestOneInput(input, size);
    free(input);
}

static unsigned run(const char *path)
{
    struct stat status;
    struct dirent *entry;
    unsigned count = 0;
    DIR *directory;

    if (stat(path, &status))
        fail(path, strerror(errno));
    if (!S_ISDIR(status.st_mode)) {
        run_file(path, (size_t)status.st_size);
        return 1;
    }
    directory = opendir(path);
    if (!directory)
        fail(path, strerror(errno));
    while ((entry = readdir(directory))) {
        char *inner;

        if (entry->d_name[0] == '.')
            continue;
        if (asprintf(&inner, "%s/%s", path, entry->d_name) < 0)
            fail(path, "out of memory");
        count += run(inner);
        free(inner);
    }
    (void)closedir(directory);
    if (!count)
        fail(path, "no input in this directory");
    return count;
}

int main(int argc, char **argv)
{
    unsigned count = 0;

    for (int i = 1; i < argc; i++)
        count += run(argv[i]);
    if (!count)
        fail(argv[0], "name the files or directories to run");
    (void)fprintf(stderr, "%u inputs\n", count);
    return 0;
}
