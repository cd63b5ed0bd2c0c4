"""What providers and libraries answer, written by hand from their documentation: the fields around the usage are only
those that matter here. Each with the reader of its kind and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sim.metrics import TokenUsage


class Recorded(NamedTuple):
    """A record, what reads it, what it says; `known_as` is its provider and flavor in genai-prices."""

    read: Callable[[object], TokenUsage]
    record: dict[str, Any]
    says: TokenUsage
    known_as: tuple[str, str] | None = None


RECORDED: dict[str, Recorded] = {
    "openai chat": Recorded(
        TokenUsage.from_openai,
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": "gpt-5",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
            "usage": {
                "prompt_tokens": 2006,
                "completion_tokens": 300,
                "total_tokens": 2306,
                "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
                "completion_tokens_details": {
                    "reasoning_tokens": 128,
                    "audio_tokens": 0,
                    "accepted_prediction_tokens": 0,
                    "rejected_prediction_tokens": 0,
                },
            },
        },
        TokenUsage(2006, 300, cached_input_tokens=1920, reasoning_output_tokens=128),
        ("openai", "chat"),
    ),
    "openai chat, without details": Recorded(
        TokenUsage.from_openai,
        {
            "model": "gpt-4o",
            "usage": {
                "prompt_tokens": 9,
                "completion_tokens": 12,
                "total_tokens": 21,
                "prompt_tokens_details": None,
                "completion_tokens_details": None,
            },
        },
        TokenUsage(9, 12),
        ("openai", "chat"),
    ),
    "openai responses": Recorded(
        TokenUsage.from_openai,
        {
            "id": "resp_1",
            "object": "response",
            "status": "completed",
            "model": "gpt-5",
            "usage": {
                "input_tokens": 328,
                "input_tokens_details": {"cached_tokens": 64},
                "output_tokens": 52,
                "output_tokens_details": {"reasoning_tokens": 20},
                "total_tokens": 380,
            },
        },
        TokenUsage(328, 52, cached_input_tokens=64, reasoning_output_tokens=20),
        ("openai", "responses"),
    ),
    "anthropic, cache written": Recorded(
        TokenUsage.from_anthropic,
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5",
            "stop_reason": "end_turn",
            "usage": {
                "input_tokens": 9,
                "cache_creation_input_tokens": 17102,
                "cache_read_input_tokens": 0,
                "cache_creation": {"ephemeral_5m_input_tokens": 17000, "ephemeral_1h_input_tokens": 102},
                "output_tokens": 4,
                "service_tier": "standard",
            },
        },
        TokenUsage(17111, 4, cache_write_input_tokens=17102),
        ("anthropic", "default"),
    ),
    "anthropic, cache read": Recorded(
        TokenUsage.from_anthropic,
        {
            "model": "claude-sonnet-4-5",
            "usage": {
                "input_tokens": 9,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 17102,
                "output_tokens": 8,
            },
        },
        TokenUsage(17111, 8, cached_input_tokens=17102),
        ("anthropic", "default"),
    ),
    "gemini over REST": Recorded(
        TokenUsage.from_gemini,
        {
            "candidates": [{"content": {"parts": [{"text": "ok"}], "role": "model"}, "finishReason": "STOP"}],
            "modelVersion": "gemini-2.5-pro",
            "usageMetadata": {
                "promptTokenCount": 1200,
                "cachedContentTokenCount": 1000,
                "candidatesTokenCount": 90,
                "thoughtsTokenCount": 400,
                "toolUsePromptTokenCount": 30,
                "totalTokenCount": 1720,
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1200}],
            },
        },
        TokenUsage(1230, 490, cached_input_tokens=1000, reasoning_output_tokens=400),
        ("google", "default"),
    ),
    "gemini in its SDK": Recorded(
        TokenUsage.from_gemini,
        {
            "model_version": "gemini-2.5-flash",
            "usage_metadata": {
                "prompt_token_count": 11,
                "cached_content_token_count": None,
                "candidates_token_count": 25,
                "thoughts_token_count": None,
                "total_token_count": 36,
            },
        },
        TokenUsage(11, 25),
    ),
    "gemini, a prompt that was blocked": Recorded(
        TokenUsage.from_gemini,
        {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7}},
        TokenUsage(7, 0),
    ),
    "langchain": Recorded(
        TokenUsage.from_langchain,
        {
            "content": "ok",
            "type": "ai",
            "usage_metadata": {
                "input_tokens": 350,
                "output_tokens": 240,
                "total_tokens": 590,
                "input_token_details": {"audio": 10, "cache_creation": 200, "cache_read": 100},
                "output_token_details": {"audio": 10, "reasoning": 200},
            },
        },
        TokenUsage(350, 240, cached_input_tokens=100, cache_write_input_tokens=200, reasoning_output_tokens=200),
    ),
    "langchain over anthropic": Recorded(
        TokenUsage.from_langchain,
        {
            "usage_metadata": {
                "input_tokens": 1100,
                "output_tokens": 50,
                "total_tokens": 1150,
                "input_token_details": {
                    "cache_read": 0,
                    "cache_creation": 0,
                    "ephemeral_5m_input_tokens": 900,
                    "ephemeral_1h_input_tokens": 100,
                },
            },
        },
        TokenUsage(1100, 50, cache_write_input_tokens=1000),
    ),
    "otel": Recorded(
        TokenUsage.from_otel,
        {
            "name": "chat claude-sonnet-4-5",
            "attributes": {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "anthropic",
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.output_tokens": 180,
                "gen_ai.usage.cache_read.input_tokens": 50,
                "gen_ai.usage.cache_creation.input_tokens": 25,
                "gen_ai.usage.reasoning.output_tokens": 60,
            },
        },
        TokenUsage(100, 180, cached_input_tokens=50, cache_write_input_tokens=25, reasoning_output_tokens=60),
    ),
    "otel, as it was named before": Recorded(
        TokenUsage.from_otel,
        {"attributes": {"gen_ai.usage.prompt_tokens": 100, "gen_ai.usage.completion_tokens": 180}},
        TokenUsage(100, 180),
    ),
    "litellm over openai": Recorded(
        TokenUsage.from_litellm,
        {
            "object": "chat.completion",
            "model": "gpt-4o",
            "usage": {
                "prompt_tokens": 2006,
                "completion_tokens": 300,
                "total_tokens": 2306,
                "prompt_tokens_details": {"cached_tokens": 1920},
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
        },
        TokenUsage(2006, 300, cached_input_tokens=1920),
    ),
    "litellm over anthropic": Recorded(
        TokenUsage.from_litellm,
        {
            "model": "claude-sonnet-4-5",
            "usage": {
                "prompt_tokens": 1600,
                "completion_tokens": 20,
                "total_tokens": 1620,
                "prompt_tokens_details": {"cached_tokens": 1000, "cache_creation_tokens": 500},
                "cache_creation_input_tokens": 500,
                "cache_read_input_tokens": 1000,
            },
        },
        TokenUsage(1600, 20, cached_input_tokens=1000, cache_write_input_tokens=500),
    ),
    "mistral, by genai-prices": Recorded(
        lambda record: TokenUsage.from_provider(record, "mistral"),
        {"model": "mistral-large-latest", "usage": {"prompt_tokens": 16, "completion_tokens": 34, "total_tokens": 50}},
        TokenUsage(16, 34),
        ("mistral", "default"),
    ),
    "bedrock, by genai-prices": Recorded(
        lambda record: TokenUsage.from_provider(record, "aws"),
        {
            "usage": {
                "inputTokens": 30,
                "outputTokens": 628,
                "totalTokens": 758,
                "cacheReadInputTokens": 60,
                "cacheWriteInputTokens": 40,
            }
        },
        TokenUsage(130, 628, cached_input_tokens=60, cache_write_input_tokens=40),
        ("aws", "default"),
    ),
}
