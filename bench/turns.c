/* turns PORT CONNECTIONS TURN_MS TURNS CPU_FILES REQUEST REQUEST: asks one server for the same thing in two ways,
   in turns of some milliseconds, each way with its own kept-alive connections. Prints a line for each turn:
   which of the two, how many answers, how many nanoseconds, and the nanoseconds that the server computed meanwhile.

   CPU_FILES are the schedstat files of the server's threads, between commas; a REQUEST is the file with its bytes.
   What comes before a turn has settled is not counted. All answers of a way have the same length; one that is not
   200 ends it all. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, THREADS_MAX = 256, REQUEST_BYTES_MAX = 16384, READ_BYTES = 1 << 16 };
static const char OK[] = "HTTP/1.1 200";

struct way {
    char request[REQUEST_BYTES_MAX];
    size_t request_bytes;
    long answer_bytes; /* 0 until the first answer is whole */
    int connections[CONNECTIONS_MAX];
    long received[CONNECTIONS_MAX]; /* of the answer that is coming in */
    int ready;
};

static int threads[THREADS_MAX], thread_count;
static long thread_ns[THREADS_MAX]; /* one that has ended counts on with what it had */
static char buffer[READ_BYTES];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static long computed(void) {
    long sum = 0;
    for (int i = 0; i < thread_count; i++) {
        char text[64] = {0};
        if (pread(threads[i], text, sizeof text - 1, 0) > 0) thread_ns[i] = atol(text);
        sum += thread_ns[i];
    }
    return sum;
}

static void ask(struct way *way, int index) {
    if (write(way->connections[index], way->request, way->request_bytes) != (ssize_t)way->request_bytes) fail("write");
}

/* Takes in what has come; 1 if the answer is whole. */
static int take(struct way *way, int index) {
    ssize_t got = read(way->connections[index], buffer, sizeof buffer);
    if (got <= 0) fail("the server closed a connection");
    if (way->received[index] == 0 && strncmp(buffer, OK, sizeof OK - 1) != 0) {
        fprintf(stderr, "not 200: %.200s\n", buffer);
        exit(1);
    }
    way->received[index] += got;
    if (way->received[index] > way->answer_bytes) {
        fprintf(stderr, "an answer of another length\n");
        exit(1);
    }
    if (way->received[index] < way->answer_bytes) return 0;
    way->received[index] = 0;
    return 1;
}

/* The length of an answer: of its head, by the empty line, and what that says of the body. */
static void learn_length(struct way *way) {
    ask(way, 0);
    long received = 0, whole = 1;
    while (received < whole) {
        ssize_t got = read(way->connections[0], buffer, sizeof buffer - 1);
        if (got <= 0) fail("read");
        if (received == 0) {
            buffer[got] = 0;
            char *end = strstr(buffer, "\r\n\r\n"), *length = strcasestr(buffer, "\r\ncontent-length: ");
            if (end == NULL || length == NULL) {
                fprintf(stderr, "no length: %.200s\n", buffer);
                exit(1);
            }
            whole = end + 4 - buffer + atol(length + strlen("\r\ncontent-length: "));
        }
        received += got;
    }
    way->answer_bytes = whole;
}

static void prepare(struct way *way, int port, int connections, const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail(path);
    way->request_bytes = fread(way->request, 1, sizeof way->request, file);
    fclose(file);
    way->ready = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < connections; i++) {
        int one = 1, connection = socket(AF_INET, SOCK_STREAM, 0);
        if (connection < 0 || connect(connection, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
        setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (unsigned)i};
        if (epoll_ctl(way->ready, EPOLL_CTL_ADD, connection, &event) != 0) fail("epoll_ctl");
        way->connections[i] = connection;
    }
    learn_length(way);
}

/* One turn: a fifth of it to settle, then what counts, then the answers that are still to come. */
static void turn(struct way *way, int which, int connections, long turn_ns) {
    enum { SETTLES, COUNTS, ENDS } phase = SETTLES;
    long answers = 0, since = 0, computed_before = 0, begun = now();
    for (int i = 0; i < connections; i++) ask(way, i);
    for (int waiting = connections; waiting > 0;) {
        struct epoll_event events[CONNECTIONS_MAX];
        int count = epoll_wait(way->ready, events, connections, 10000);
        if (count <= 0) fail("no answer within 10 s");
        long at = now();
        if (phase == SETTLES && at - begun >= turn_ns / 5) {
            phase = COUNTS;
            computed_before = computed();
            since = now();
            answers = 0;
        } else if (phase == COUNTS && at - since >= turn_ns) {
            phase = ENDS;
            printf("%d %ld %ld %ld\n", which, answers, at - since, computed() - computed_before);
        }
        for (int i = 0; i < count; i++) {
            int index = (int)events[i].data.u32;
            if (!take(way, index)) continue;
            answers++;
            if (phase == ENDS) waiting--;
            else ask(way, index);
        }
    }
}

int main(int count, char **arguments) {
    if (count != 8) {
        fprintf(stderr, "turns PORT CONNECTIONS TURN_MS TURNS CPU_FILES REQUEST REQUEST\n");
        return 2;
    }
    static struct way ways[2];
    int port = atoi(arguments[1]), connections = atoi(arguments[2]), turns = atoi(arguments[4]);
    long turn_ns = atol(arguments[3]) * 1000000L;
    if (connections < 1 || connections > CONNECTIONS_MAX) return 2;
    for (char *path = strtok(arguments[5], ","); path != NULL && thread_count < THREADS_MAX; path = strtok(NULL, ","))
        threads[thread_count++] = open(path, O_RDONLY | O_CLOEXEC);
    for (int which = 0; which < 2; which++) prepare(&ways[which], port, connections, arguments[6 + which]);
    for (int i = 0; i < turns; i++) {
        turn(&ways[i % 2], i % 2, connections, turn_ns);
        turn(&ways[1 - i % 2], 1 - i % 2, connections, turn_ns);
    }
    return 0;
}
