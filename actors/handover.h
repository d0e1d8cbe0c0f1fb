//  handover.h - tells ThreadSanitizer what it can't see inside libzmq, which is
//  not instrumented: that memory goes from one thread to another with a message.

#ifndef ARTEL_HANDOVER_H
#define ARTEL_HANDOVER_H

#if defined(__SANITIZE_THREAD__)
void __tsan_acquire(void *at);
void __tsan_release(void *at);
#else
#define __tsan_acquire(at) ((void) (at))
#define __tsan_release(at) ((void) (at))
#endif

//  Before a message goes whose receiver will use what is at this address; and
//  after it came. NULL is fine.
static inline void
artel_hand_over(const void *at)
{
    if (at)
        __tsan_release((void *) at);
}

static inline void
artel_take_over(const void *at)
{
    if (at)
        __tsan_acquire((void *) at);
}

#endif
