"use client";

import { useState } from "react";

export function Counter() {
  const [count, setCount] = useState(0);

  return (
    <button
      className="w-fit rounded-full bg-foreground px-5 py-2 text-background"
      onClick={() => setCount(count + 1)}
    >
      Clicked {count} times
    </button>
  );
}
