import type { Metadata } from "next";
import "./globals.css";

export const metadata: Metadata = {
  title: "deka example",
  description: "A Next.js application whose packages deka installed",
};

export default function RootLayout({ children }: { children: React.ReactNode }) {
  return (
    <html lang="en" className="h-full antialiased">
      <body className="flex min-h-full flex-col">{children}</body>
    </html>
  );
}
