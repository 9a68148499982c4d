/*
 * workload [idle|web|game|memory] [PAGES-PER-SECOND] [MIB]
 *
 * Writes to memory as real programs do, for experiments with live migration: what the program of the same name does in a
 * mini guest (workers/guest/programs/workload.ts), for Linux. What it does stands in the store in data/workload below the
 * domain's own directory, and can be changed there while it runs. Signal USR1 makes it print how many pages it has written
 * and whether its memory holds what it wrote.
 *
 * It is its own C library: Linux system calls of the i386, nothing else.
 */
typedef unsigned int u32;

/* Linux, i386: asm/unistd_32.h */
enum {
	NR_exit = 1, NR_read = 3, NR_write = 4, NR_open = 5, NR_mmap = 90, NR_sysinfo = 116, NR_poll = 168,
	NR_rt_sigprocmask = 175, NR_clock_gettime = 265, NR_signalfd4 = 327,
};

enum { PAGE = 4096, PAGES_PER_MIB = 256, WORDS_PER_PAGE = PAGE / 4 };
/* The clock's unit is 100 us; a tick is 10 ms; what was missed in two of them is not made up for. */
enum { UNITS_PER_SECOND = 10000, LONGEST = 200, TICK_MS = 10 };
enum { MOST_PAGES_PER_SECOND = 1000000, TEXT = 64 };
enum { XS_READ = 2, XS_WATCH = 4, XS_WRITE = 11, XS_WATCH_EVENT = 15, XS_ERROR = 16 };
enum { POLLIN = 1, SIGUSR1 = 10, O_RDWR = 2, CLOCK_MONOTONIC = 1, EINTR = 4 };

static const char KEY[] = "data/workload";
static const char USAGE[] = "Usage: workload [idle|web|game|memory] [PAGES-PER-SECOND] [MIB]\n";

/* Of each kind: pages a second unless told otherwise, and that part of its memory (one in so many pages) it writes to. */
static const struct kind { const char *name; u32 rate, part; } kinds[] = {
	{ "idle", 0, 0 }, { "web", 800, 1 }, { "game", 2000, 32 }, { "memory", 60000, 1 },
};
enum { KINDS = 4, MEMORY = 3 };

struct work { u32 kind, rate; };

static struct work work;
static u32 *memory, pages, next, count, sum, owed, chance = 2463534242u;
static u32 tried;
static int store = -1, is_told, has_news;

static long call(long nr, long a, long b, long c, long d, long e)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
	return result;
}

/* The compiler makes calls of these. */
void *memset(void *to, int byte, __SIZE_TYPE__ length)
{
	for (char *at = to; length-- > 0; at++) *at = byte;
	return to;
}

void *memcpy(void *to, const void *from, __SIZE_TYPE__ length)
{
	for (__SIZE_TYPE__ i = 0; i < length; i++) ((char *)to)[i] = ((const char *)from)[i];
	return to;
}

static u32 length_of(const char *text)
{
	u32 length = 0;
	while (text[length]) length++;
	return length;
}

static int is_same(const char *a, const char *b)
{
	while (*a && *a == *b) a++, b++;
	return *a == *b;
}

static void say(int fd, const char *text)
{
	call(NR_write, fd, (long)text, length_of(text), 0, 0);
}

static char *put(char *at, const char *text)
{
	while (*text) *at++ = *text++;
	*at = 0;
	return at;
}

static char *put_number(char *at, u32 number)
{
	char digits[12], *digit = digits + 11;
	*digit = 0;
	do *--digit = '0' + number % 10;
	while (number /= 10);
	return put(at, digit);
}

/* A whole number and nothing else; -1: it is none, or more than `most`. */
static long number_of(const char *text, long most)
{
	long number = 0;
	if (!*text) return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9') return -1;
		number = number * 10 + *text - '0';
		if (number > most) return -1;
	}
	return number;
}

static int kind_of(const char *name)
{
	for (int kind = 0; kind < KINDS; kind++)
		if (is_same(kinds[kind].name, name)) return kind;
	return -1;
}

/* Answers whether these are words for some work. */
static int parse(const char *name, const char *rate, struct work *found)
{
	int kind = kind_of(name);
	long pages_per_second;
	if (kind < 0) return 0;
	pages_per_second = rate ? number_of(rate, MOST_PAGES_PER_SECOND) : (long)kinds[kind].rate;
	if (pages_per_second < 0) return 0;
	*found = (struct work){ kind, pages_per_second };
	return 1;
}

static u32 now(void)
{
	struct { long seconds, nanoseconds; } time;
	call(NR_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0, 0);
	return (u32)time.seconds * UNITS_PER_SECOND + (u32)time.nanoseconds / 100000;
}

static void write_pages(u32 passed)
{
	u32 part = kinds[work.kind].part, reach = part ? pages / part : 0, due;
	if (passed > LONGEST) passed = LONGEST;
	if (reach) owed += work.rate * passed;
	due = owed / UNITS_PER_SECOND;
	owed %= UNITS_PER_SECOND;
	for (; due > 0; due--) {
		u32 *word;
		if (work.kind == MEMORY) next = (next + 1) % reach;
		else {
			chance ^= chance << 13, chance ^= chance >> 17, chance ^= chance << 5;
			next = chance % reach;
		}
		word = memory + next * WORDS_PER_PAGE;
		count++;
		sum += count - *word;
		*word = count;
	}
}

static void report(void)
{
	char line[TEXT];
	u32 found = 0;
	for (u32 page = 0; page < pages; page++) found += memory[page * WORDS_PER_PAGE];
	put(put(put_number(line, count), " pages written, memory "), found == sum ? "intact\n" : "DAMAGED\n");
	say(1, line);
}

/* --- the store: requests and answers of xs_wire.h over /dev/xen/xenbus */

struct header { u32 type, request, transaction, length; };

static int read_all(void *to, u32 length)
{
	for (u32 done = 0; done < length;) {
		long got = call(NR_read, store, (long)to + done, length - done, 0, 0);
		if (got == -EINTR) continue;
		if (got <= 0) return 0;
		done += got;
	}
	return 1;
}

/* One message; what does not fit into `text` is dropped. Watches that fire are noted, whatever else comes. 0: no store. */
static u32 receive(char *text)
{
	struct header header;
	char rest;
	if (!read_all(&header, sizeof header)) return 0;
	memset(text, 0, TEXT);
	for (u32 i = 0; i < header.length; i++)
		if (!read_all(i < TEXT - 1 ? &text[i] : &rest, 1)) return 0;
	if (header.type == XS_WATCH_EVENT) has_news = 1;
	return header.type;
}

/* Asks, with two strings that end in zero (the last one of a write does not); the answer goes to `text`. */
static int ask(u32 type, const char *second, char *text)
{
	char message[sizeof(struct header) + 2 * TEXT];
	u32 length = sizeof KEY + length_of(second) + (type == XS_WATCH);
	u32 answer;
	struct header header = { type, 1, 0, type == XS_READ ? sizeof KEY : length };
	memcpy(message, &header, sizeof header);
	memcpy(message + sizeof header, KEY, sizeof KEY);
	memcpy(message + sizeof header + sizeof KEY, second, length_of(second) + 1);
	if (call(NR_write, store, (long)message, sizeof header + header.length, 0, 0) < 0) return 0;
	do answer = receive(text);
	while (answer == XS_WATCH_EVENT);
	return answer == type;
}

/* Writes down what is being done. */
static void tell(void)
{
	char value[TEXT], answer[TEXT];
	put_number(put(put(value, kinds[work.kind].name), " "), work.rate);
	tried = now();
	is_told = ask(XS_WRITE, value, answer);
}

/* Somebody has written there, or the domain has moved and nothing is there any more. */
static void listen(void)
{
	char value[TEXT], own[TEXT], *rate = 0;
	struct work asked;
	has_news = 0;
	put_number(put(put(own, kinds[work.kind].name), " "), work.rate);
	if (!ask(XS_READ, "", value)) {
		tell();
		return;
	}
	if (is_same(value, own)) return;
	for (char *at = value; *at; at++)
		if (*at == ' ') {
			*at = 0;
			rate = at + 1;
			break;
		}
	if (parse(value, rate, &asked)) work = asked;
	else {
		if (rate) rate[-1] = ' ';
		say(2, "workload: no such work: ");
		say(2, value);
		say(2, "\n");
	}
	tell();
}

static void open_store(void)
{
	char answer[TEXT];
	store = call(NR_open, (long)"/dev/xen/xenbus", O_RDWR, 0, 0, 0);
	if (store >= 0 && !ask(XS_WATCH, "w", answer)) store = -1;
	if (store >= 0) tell();
	else say(2, "workload: no store: nobody can change what it does\n");
}

/* --- */

struct poll { int fd; short events, came; };

static int open_signals(void)
{
	u32 set[2] = { 1u << (SIGUSR1 - 1), 0 };
	call(NR_rt_sigprocmask, 0, (long)set, 0, sizeof set, 0);
	return call(NR_signalfd4, -1, (long)set, sizeof set, 0, 0);
}

static u32 free_pages(void)
{
	struct { long uptime; u32 loads[3], total, free, rest[32]; } info;
	memset(&info, 0, sizeof info);
	call(NR_sysinfo, (long)&info, 0, 0, 0, 0);
	return info.free / PAGE;
}

/* mmap with its six arguments in memory. */
static u32 *allocate(u32 bytes)
{
	long arguments[6] = { 0, bytes, 3, 0x22, -1, 0 };
	long at = call(NR_mmap, (long)arguments, 0, 0, 0, 0);
	return (u32)at > -4096u ? 0 : (u32 *)at;
}

static int run(int argc, char **argv)
{
	long mib = argc > 3 ? number_of(argv[3], 4095) : -1;
	int signals = open_signals();
	u32 last;
	if (argc > 4 || (argc > 3 && mib <= 0) ||
	    !parse(argc > 1 ? argv[1] : "idle", argc > 2 ? argv[2] : 0, &work)) {
		say(2, USAGE);
		return 2;
	}
	/* Linux promises more than it has: what is not free now is not asked for. */
	pages = mib > 0 ? (u32)mib * PAGES_PER_MIB : free_pages() / 2;
	memory = pages > 0 && pages <= free_pages() ? allocate(pages * PAGE) : 0;
	if (!memory) {
		say(2, "workload: Cannot allocate memory\n");
		return 1;
	}
	open_store();
	for (last = now();;) {
		struct poll polls[2] = { { signals, POLLIN, 0 }, { store, POLLIN, 0 } };
		char text[TEXT];
		u32 before = last;
		int wait = work.rate > 0 || (store >= 0 && !is_told) ? TICK_MS : -1;
		call(NR_poll, (long)polls, 2, wait, 0, 0);
		if (polls[0].came) {
			char info[128];
			call(NR_read, signals, (long)info, sizeof info, 0, 0);
			report();
		}
		if (polls[1].came) receive(text);
		if (has_news) listen();
		else if (store >= 0 && !is_told && now() - tried >= UNITS_PER_SECOND) tell();
		last = now();
		write_pages(last - before);
	}
}

__attribute__((used)) static void start(long *stack)
{
	call(NR_exit, run(stack[0], (char **)(stack + 1)), 0, 0, 0, 0);
}

__asm__(".globl _start\n_start: movl %esp, %eax\npushl %eax\ncall start\n");
