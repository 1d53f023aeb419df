/* append_and_sync FILE BYTES SECONDS: appends BYTES and calls fdatasync, over and over;
   prints how often a second. What the disk can do at most for one writer. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
    if (count != 4) {
        fprintf(stderr, "append_and_sync FILE BYTES SECONDS\n");
        return 2;
    }
    int file = open(arguments[1], O_WRONLY | O_CREAT | O_APPEND, 0644);
    size_t size = (size_t)atol(arguments[2]);
    double seconds = atof(arguments[3]);
    char *block = malloc(size);
    if (file < 0 || block == NULL) {
        perror(arguments[1]);
        return 1;
    }
    memset(block, 'x', size);

    double start = now(), elapsed = 0;
    long appends = 0;
    while (elapsed < seconds) {
        if (write(file, block, size) != (ssize_t)size || fdatasync(file) != 0) {
            perror(arguments[1]);
            return 1;
        }
        appends++;
        elapsed = now() - start;
    }
    printf("%.1f\n", (double)appends / elapsed);
    return 0;
}
