/*  exchange.pml - the exchange of one artifact, checked over every interleaving.
 *
 *  A client logs one artifact and waits for it. Messages may be lost, the node
 *  may die between any two steps (with power loss: what is accepted but not
 *  durable may go), and timers fire per request. spin explores every order.
 *
 *    here            in the code
 *    client          client/: the outbox resends a batch, the future polls
 *    handler         actors/handler.c and xids.c (table, parked polls) with
 *                    writer.c and syncer.c (journal)
 *    sender          actors/sender.c and lane.c: delivers what is journaled
 *    backend         actors/backends/: knows an xid for ever, and its position
 *    journal         the frame of artifact_send: none, accepted, durable
 *    table           actors/xids.c, a cache: a crash empties it
 *    position        what the sink says at start: it has this batch
 *    gone            a client's or the sender's own timer: the request and its
 *                    answer are nowhere any more (-DSPURIOUS: whenever it likes)
 *
 *  Properties:
 *    once     one xid makes at most one version
 *    truth    done is told only of what is committed, failed only of what never is
 *    nolost   what artifact_send_response acknowledged is durable
 *    term     every wait ends, with done or failed
 *
 *  Mutants, each of which must break the property named:
 *    UNFAIR         polls are served although a completion waits       term
 *    ACKFIRST       the response goes out before the batch is durable  nolost
 *    NOREDISPATCH   only what this life was sent is delivered          term
 *    NODEDUP        the sink does not know the xids it has seen        once
 *    POSITIONONLY   an artifact_send that comes again is not delivered
 *                   again, since the position has passed it            term
 *    NORECALL       the sink is not asked for what the table does not know,
 *                   and a run that is over cannot send again           term
 *    SURMISE        the sink's position is taken for its answer        truth
 */

#ifndef LOSSES
#define LOSSES 4
#endif
#ifndef CRASHES
#define CRASHES 4
#endif

mtype = { artifact_send, artifact_send_response, artifact_poll, artifact_poll_response }
mtype = { none, accepted, durable }             /* the journal */
mtype = { unknown, pending, done, failed }      /* the table, and what a poll is answered */

chan to_handler = [2] of { mtype };
chan to_client = [2] of { mtype, mtype };
chan to_backend = [1] of { bit };               /* deliver */
chan to_sender = [1] of { mtype };              /* the sink's answer */
chan completions = [1] of { mtype };            /* artifact_done; in one process nothing is lost */

mtype journal = none;       /* disk */
byte commits;               /* the sink: versions made of this xid */
bool refused;               /* the sink: it said no, for good */
bool position;              /* the sink: it has this batch */

mtype table = unknown;      /* handler, gone with a crash, like what follows */
bool due;                   /* handler: an artifact_send waits for its response */
bool parked;                /* handler: an artifact_poll waits for the completion */
bool wanted;                /* sender: to be delivered */
bool in_flight;             /* sender: deliver is with the backend */

mtype told = pending;       /* what the program knows */
bool over;                  /* the run has ended: nothing can be sent again once it is acked */
bool acked;
bool ended;
byte losses, crashes;

/*  A send that may be lost, and never waits for the other side. */
inline send(ch, msg)
{
    if
    :: nfull(ch) -> ch!msg
    :: full(ch)
    :: losses < LOSSES -> losses++
    fi
}

inline answer(msg, state)
{
    if
    :: nfull(to_client) -> to_client!msg,state
    :: full(to_client)
    :: losses < LOSSES -> losses++
    fi
}

#ifdef SPURIOUS
#define request_gone (true)
#define deliver_gone (true)
#else
#define request_gone (!due && !parked && empty(to_handler) && empty(to_client))
#define deliver_gone (empty(to_backend) && empty(to_sender))
#endif

#ifdef UNFAIR
#define calm (true)
#else
#define calm (empty(completions))               /* they are served before the clients */
#endif

active proctype client()
{
    mtype msg, state;
    if
    :: over = true
    :: over = false
    fi;
    do
    :: told != pending -> break
    :: told == pending ->
        atomic {
            if
            :: acked -> send(to_handler, artifact_poll)
            :: !acked -> send(to_handler, artifact_send)
            fi
        }
        atomic {
            if
            :: to_client?msg,state ->
                if
                :: msg == artifact_send_response -> acked = true
                :: msg == artifact_poll_response && state == unknown -> acked = over
                :: msg == artifact_poll_response && state == pending
                :: msg == artifact_poll_response && (state == done || state == failed) -> told = state
                fi
            :: request_gone
            fi
        }
    od;
    ended = true
}

/*  The journal has it, or takes it; a response is due when it is durable. */
inline on_artifact_send()
{
    if
    :: journal == none -> journal = accepted; wanted = true; table = pending
    :: journal != none && table == unknown ->
        table = pending;
#if !defined(POSITIONONLY) && !defined(NOREDISPATCH)
        wanted = true
#endif
    :: else
    fi;
#ifdef ACKFIRST
    answer(artifact_send_response, pending)
#else
    if
    :: journal == durable -> answer(artifact_send_response, pending)
    :: journal == accepted -> due = true
    fi
#endif
}

/*  What the table does not know the sink is asked for (recall, recalled). */
inline on_artifact_poll()
{
    if
    :: table == pending -> parked = true
#ifndef NORECALL
    :: table == unknown && commits > 0 -> answer(artifact_poll_response, done)
    :: table == unknown && commits == 0 && refused -> answer(artifact_poll_response, failed)
    :: table == unknown && commits == 0 && !refused -> answer(artifact_poll_response, unknown)
#else
    :: table == unknown -> answer(artifact_poll_response, unknown)
#endif
    :: table == done || table == failed -> answer(artifact_poll_response, table)
    fi
}

inline on_artifact_done(state)
{
    table = state;
    if
    :: parked -> parked = false; answer(artifact_poll_response, table)
    :: !parked
    fi
}

/*  What is in memory and under way is lost. What was accepted, but not yet
 *  durable, may be. The next node asks the sink where it stands. */
inline crash()
{
    crashes++;
    table = unknown; due = false; parked = false; in_flight = false; wanted = false;
    do
    :: to_handler?_
    :: to_sender?_
    :: completions?_
    :: empty(to_handler) && empty(to_sender) && empty(completions) -> break
    od;
    if
    :: to_backend?_
    :: true                             /* it had reached a server already */
    fi;
    if
    :: journal == accepted -> journal = none
    :: true
    fi;
#ifndef NOREDISPATCH
    wanted = (journal != none && !position);
#endif
#ifdef SURMISE
    if
    :: position -> table = done
    :: !position
    fi
#endif
}

active proctype handler()
{
    mtype msg;
end:
    do
    :: atomic { completions?msg -> on_artifact_done(msg) }
    :: atomic { journal == accepted -> journal = durable;
        if
        :: due -> due = false; answer(artifact_send_response, pending)
        :: !due
        fi }
    :: atomic { calm && to_handler?[msg] -> to_handler?msg;
        if
        :: msg == artifact_send -> on_artifact_send()
        :: msg == artifact_poll -> on_artifact_poll()
        fi }
    :: atomic { parked && calm -> parked = false; answer(artifact_poll_response, pending) }
    :: atomic { crashes < CRASHES -> crash() }
    od
}

active proctype sender()
{
    mtype msg;
end:
    do
    :: atomic { journal != none && wanted && !in_flight -> in_flight = true; send(to_backend, 1) }
    :: atomic { in_flight && deliver_gone -> in_flight = false }
    :: atomic { nfull(completions) && to_sender?[msg] -> to_sender?msg;
        wanted = false; in_flight = false; completions!msg }
    od
}

active proctype backend()
{
end:
    do
    :: atomic { to_backend?1 ->
        position = true;
        if
#ifdef NODEDUP
        :: !refused && commits < 3 -> commits++
#else
        :: !refused && commits == 0 -> commits++
#endif
        :: commits == 0 -> refused = true
        :: commits > 0 || refused               /* the xid is known */
        fi;
        if
        :: refused -> send(to_sender, failed)
        :: !refused -> send(to_sender, done)
        fi }
    od
}

ltl once { [] (commits <= 1) }
ltl truth { [] ((told == done -> commits >= 1) && (told == failed -> (refused && commits == 0))) }
ltl nolost { [] (acked -> journal == durable) }
ltl term { <> ended }
