/* SPDX-License-Identifier: MIT */
/* Starting and asking the helper; see helper.h. */
#include "helper.h"
#include "bare_notification.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xmem/devices.h>

#define WORDS 5

/* What a helper is started with: its program, its ends of the pipes. */
struct start {
    char program[256];
    char path[256];
    char in[16], out[16];
    char *words[WORDS];
    int ends[2];
};

static void describe(struct start *start, const char *path, int in, int out)
{
    snprintf(start->program, sizeof(start->program), "%s", BENCH_HELPER);
    snprintf(start->path, sizeof(start->path), "%s", path);
    snprintf(start->in, sizeof(start->in), "%d", in);
    snprintf(start->out, sizeof(start->out), "%d", out);
    char *const words[WORDS] = {start->program, start->path, start->in, start->out, NULL};
    for (unsigned at = 0; at < WORDS; at++)
        start->words[at] = words[at];
    start->ends[0] = in;
    start->ends[1] = out;
}

static void close_ends(const struct start *start)
{
    close(start->ends[0]);
    close(start->ends[1]);
}

/* In a child: nothing of the parent's stays open but the standard descriptors and the ends. */
static void keep_ends(struct start *start)
{
    int in = fcntl(start->ends[0], F_DUPFD, 10), out = fcntl(start->ends[1], F_DUPFD, 10);
    char path[sizeof(start->path)];
    snprintf(path, sizeof(path), "%s", start->path);
    if (dup2(in, 3) != 3 || dup2(out, 4) != 4)
        _exit(1);
    close_range(5, ~0u, 0);
    describe(start, path, 3, 4);
}

static bool start_child(struct helper *helper, struct start *start)
{
    helper->pid = fork();
    if (helper->pid == 0) {
        keep_ends(start);
        if (helper->kind == HELPER_BARE)
            bare_notification_serve(start->words);
        else
            execv(start->program, start->words);
        _exit(1);
    }
    close_ends(start);
    return helper->pid != -1;
}

static void *run_trapped(void *argument)
{
    struct start *start = argument;
    struct xmem_program program = {
        .size = sizeof(program), .path = start->program, .arguments = start->words};
    int status;
    if (xmem_run(&program, &status) != 0)
        fprintf(stderr, "xmem-bench: %s\n", xmem_last_failure()->words);
    close_ends(start);
    free(start);
    return NULL;
}

/* The thread closes the helper's ends, and frees what it was given. */
static bool start_trapped(struct helper *helper, const struct start *start)
{
    struct start *own = malloc(sizeof(*own));
    if (!own)
        return false;
    describe(own, start->path, start->ends[0], start->ends[1]);
    fcntl(own->ends[0], F_SETFD, 0);
    fcntl(own->ends[1], F_SETFD, 0);
    return pthread_create(&helper->thread, NULL, run_trapped, own) == 0;
}

bool helper_start(struct helper *helper, enum helper_kind kind, const char *path)
{
    struct start start;
    int questions[2], answers[2];
    if (pipe2(questions, O_CLOEXEC) != 0 || pipe2(answers, O_CLOEXEC) != 0)
        return false;
    *helper = (struct helper){.kind = kind, .questions = questions[1], .answers = answers[0]};
    describe(&start, path, questions[0], answers[1]);
    return kind == HELPER_TRAPPED ? start_trapped(helper, &start) : start_child(helper, &start);
}

/* It ends when it finds no more questions. */
void helper_stop(struct helper *helper)
{
    close(helper->questions);
    close(helper->answers);
    if (helper->kind == HELPER_TRAPPED)
        pthread_join(helper->thread, NULL);
    else
        waitpid(helper->pid, NULL, 0);
}

double helper_ask(struct helper *helper, enum helper_call call, uint64_t size, uint64_t count)
{
    struct helper_question question = {.call = call, .size = size, .count = count};
    struct helper_answer answer;
    if (write(helper->questions, &question, sizeof(question)) != sizeof(question) ||
        read(helper->answers, &answer, sizeof(answer)) != sizeof(answer) || answer.error)
        return -1;
    return (double)answer.nanoseconds / (double)count;
}
