"""What is wrong with a library as it is pinned: of its program, what is found in it. The reasons are in docs/live_libraries.md."""

KNOWN = {
    "with_anyio_threads": "outlives: main has ended, and the thread AnyIO-worker-thread waits",
    "with_mcp_http": "exception: client fails with ExceptionGroup: unhandled errors in a TaskGroup",
    "with_pydantic_ai": "outlives: main has ended, and client",
}
"""Program -> how the words begin of what a cancel of an agent leads to."""
