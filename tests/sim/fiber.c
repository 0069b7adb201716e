#include "sim/fiber.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STACK (1024 * 1024)
#define IDLE_TURNS_MAX 300

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#define SWITCH_BEGIN(save, stack, n) __sanitizer_start_switch_fiber(save, stack, n)
#define SWITCH_END(save, stack, n) __sanitizer_finish_switch_fiber(save, stack, n)
#else
#define SWITCH_BEGIN(save, stack, n) ((void)(save), (void)(stack), (void)(n))
#define SWITCH_END(save, stack, n) ((void)(save), (void)(stack), (void)(n))
#endif

struct stack {
    ucontext_t context;
    void *memory, *fake;
    void *(*fn)(void *arg);
    void *arg;
};

static struct fiber fibers[FIBERS];
static struct stack stacks[FIBERS];
static ucontext_t world;
static void *world_fake;
static const void *world_stack;
static size_t world_stack_n;
static int current = -1;

void (*fiber_ended)(int i);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);
int __wrap_pthread_join(pthread_t thread, void **ret);

int fiber_current(void)
{
    return current;
}

bool fiber_is_done(int i)
{
    return fibers[i].done;
}

void fibers_begin(void)
{
    for (size_t i = 0; i < FIBERS; i++)
        fibers[i] = (struct fiber){ 0 };
}

static void fiber_main(void)
{
    int me = current;

    SWITCH_END(NULL, &world_stack, &world_stack_n);
    stacks[me].fn(stacks[me].arg);
    fibers[me].done = true;
    SWITCH_BEGIN(NULL, world_stack, world_stack_n);
    setcontext(&world);
}

static void stack_begin(struct stack *s, void *(*fn)(void *), void *arg)
{
    if (!s->memory)
        s->memory = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(s->memory != MAP_FAILED);
    s->fn = fn;
    s->arg = arg;
    MUST(getcontext(&s->context) == 0);
    s->context.uc_stack.ss_sp = s->memory;
    s->context.uc_stack.ss_size = STACK;
    makecontext(&s->context, fiber_main, 0);
}

static int fiber_free(void)
{
    int i = 0;

    while (fibers[i].used)
        i++;
    MUST(i < FIBERS);
    return i;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg)
{
    int i = fiber_free();

    (void)attr;
    stack_begin(&stacks[i], fn, arg);
    fibers[i] = (struct fiber){ .used = true };
    *thread = (pthread_t)i + 1;
    return 0;
}

int __wrap_pthread_join(pthread_t thread, void **ret)
{
    int i = (int)thread - 1;

    while (!fibers[i].done)
        HOLDS(world_step(), "a worker that was told to stop waits for ever");
    if (fiber_ended)
        fiber_ended(i);
    if (ret)
        *ret = NULL;
    return 0;
}

void fiber_wait(uint64_t wake_ns, bool (*has_events)(struct fiber *f, void *arg), void *arg)
{
    int me = current;
    struct fiber *f = &fibers[me];

    MUST(me >= 0);
    f->wake_ns = wake_ns;
    f->has_events = has_events;
    f->arg = arg;
    SWITCH_BEGIN(&stacks[me].fake, world_stack, world_stack_n);
    MUST(swapcontext(&stacks[me].context, &world) == 0);
    SWITCH_END(stacks[me].fake, &world_stack, &world_stack_n);
}

static void fiber_run(int i)
{
    struct fiber *f = &fibers[i];

    f->idle_turns = f->progress == sim.progress ? f->idle_turns + 1 : 0;
    f->progress = sim.progress;
    HOLDS(f->idle_turns < IDLE_TURNS_MAX, "worker %d spins: %d turns without progress", i,
          IDLE_TURNS_MAX);
    current = i;
    SWITCH_BEGIN(&world_fake, stacks[i].memory, STACK);
    MUST(swapcontext(&world, &stacks[i].context) == 0);
    SWITCH_END(world_fake, NULL, NULL);
    current = -1;
}

static bool may_run(struct fiber *f)
{
    if (!f->used || f->done)
        return false;
    return !f->has_events || f->wake_ns <= sim.now_ns || f->has_events(f, f->arg);
}

/* When the next thing happens by the clock. */
static uint64_t next_ns(void)
{
    uint64_t next = event_first_ns();

    for (size_t i = 0; i < FIBERS; i++) {
        if (fibers[i].used && !fibers[i].done)
            next = MIN(next, fibers[i].wake_ns);
    }
    return next;
}

bool world_step(void)
{
    int first = (int)below(FIBERS), chosen = -1;
    bool event_due = event_first_ns() <= sim.now_ns;

    MUST(current < 0);
    for (int i = 0; i < FIBERS && chosen < 0; i++) {
        int at = (first + i) % FIBERS;

        if (may_run(&fibers[at]))
            chosen = at;
    }
    if (chosen >= 0 && !(event_due && chance(500))) {
        fiber_run(chosen);
        return true;
    }
    if (event_due) {
        event_fire_first();
        return true;
    }
    if (next_ns() == NEVER)
        return false;
    sim.progress += next_ns() >= sim.now_ns + MS; /* timers that are due are progress */
    sim.now_ns = MAX(sim.now_ns, next_ns());
    return true;
}
