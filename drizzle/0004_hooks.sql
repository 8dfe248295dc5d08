CREATE TABLE "deliveries" (
	"id" text PRIMARY KEY NOT NULL,
	"hook_id" text NOT NULL,
	"key" text,
	"digest" text,
	"event" text,
	"places" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"state" text NOT NULL,
	"text" text DEFAULT '' NOT NULL,
	"code" text,
	"operation_id" text,
	"address" text,
	"holder" text,
	"lease_until" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "hooks" (
	"id" text PRIMARY KEY NOT NULL,
	"owner_id" text NOT NULL,
	"name" text NOT NULL,
	"line" text NOT NULL,
	"verify" text NOT NULL,
	"events" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"conditions" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"sealed" text NOT NULL,
	"previous" text,
	"previous_until" timestamp with time zone,
	"expires_at" timestamp with time zone NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"failed_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_hook_id_hooks_id_fk" FOREIGN KEY ("hook_id") REFERENCES "public"."hooks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hooks" ADD CONSTRAINT "hooks_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "deliveries_key" ON "deliveries" USING btree ("hook_id","key");--> statement-breakpoint
CREATE UNIQUE INDEX "deliveries_digest" ON "deliveries" USING btree ("hook_id","digest");--> statement-breakpoint
CREATE INDEX "deliveries_hook" ON "deliveries" USING btree ("hook_id","created_at");--> statement-breakpoint
CREATE INDEX "deliveries_received" ON "deliveries" USING btree ("lease_until") WHERE "deliveries"."state" = 'received';--> statement-breakpoint
CREATE UNIQUE INDEX "hooks_name" ON "hooks" USING btree ("owner_id","name");