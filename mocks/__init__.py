"""
Mock authorities and a mock EHR, speaking the national contracts over real sockets.

Nothing here imports `adapter`: a mock that shared its code would agree with its mistakes. What is
shared is `schemas`, the facts of contracts and certificate types.

    envelope, signature, person_id   a second implementation of what the adapter does too
    journal                          every call, also the refused ones, with its bytes
    service                          the door that every mock stands behind
    rule_host, rules                 behaviour rules: calls that are answered otherwise
    persona_base                     who stands behind it: a table of handlers and its state
    clock, timeline                  time that can be moved, and what is to happen when
    conversations                    what a persona says by itself, from scripts
    authority                        what all authorities do: take certificates and revocations
    forsakringskassan, …             the personas: `personas` is the table of them
    control                          the same over HTTP, as JSON
    national                         the national mock service: its rules and REST paths
    testing                          the mocks in sentences
    serving                          on a port of their own, or inside pytest-httpserver
"""
