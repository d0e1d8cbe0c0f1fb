//  interrupt.h - Ctrl-C once: stop cleanly and say what is kept; twice: end now.

#ifndef ARTEL_INTERRUPT_H
#define ARTEL_INTERRUPT_H

//  From here on the first SIGINT or SIGTERM is only noted (and interrupts read),
//  the second ends the process.
void
artel_interrupt_start(void);

//  Wait until fd has something to read (or is at its end) or a signal was noted.
void
artel_interrupt_wait(int fd);

//  The signal that came, or 0.
int
artel_interrupted(void);

#endif
