import { useState } from "react";

export default function Counter() {
  const [clicks, setClicks] = useState(0);
  return <button onClick={() => setClicks(clicks + 1)}>React counts {clicks}</button>;
}
