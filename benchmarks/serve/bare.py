"""What a door is held against: the handler of /v1/echo on bare uvicorn.

python bare.py PORT
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

app = FastAPI()


class Echo(BaseModel):
    """Any JSON object."""

    model_config = ConfigDict(extra="allow")


@app.post("/v1/echo")
async def echo(body: Echo) -> dict[str, Any]:
    """What was sent."""
    return body.model_dump()


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
