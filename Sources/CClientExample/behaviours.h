#ifndef PCS_EXAMPLE_BEHAVIOURS_H
#define PCS_EXAMPLE_BEHAVIOURS_H

/*
 * Tries every behaviour of docs/protocol.md that a client can bring about against a running host, prints a line each and
 * `N passed, N failed`. Over TCP without a token, those that need an identity are left out, and the output says so.
 * `stop`: a process to end at last, to see it drain; 0 = none. Returns an exit status.
 */
int try_behaviours(const char *address, const char *token, int stop);

#endif
