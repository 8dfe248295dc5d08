CREATE TABLE "joins" (
	"network_id" text NOT NULL,
	"host_id" text NOT NULL,
	"container_id" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "joins_network_id_host_id_container_id_pk" PRIMARY KEY("network_id","host_id","container_id")
);
--> statement-breakpoint
ALTER TABLE "networks" DROP CONSTRAINT "networks_owner_id_host_id_pk";--> statement-breakpoint
ALTER TABLE "networks" ALTER COLUMN "subnet" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "networks" ADD COLUMN "id" text;--> statement-breakpoint
-- Every network so far is its owner's main one.
UPDATE "networks" SET "id" = "owner_id";--> statement-breakpoint
ALTER TABLE "networks" ALTER COLUMN "id" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "networks" ADD CONSTRAINT "networks_id_host_id_pk" PRIMARY KEY("id","host_id");--> statement-breakpoint
ALTER TABLE "networks" ADD COLUMN "called" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "networks" ADD COLUMN "leaving" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "joins" ADD CONSTRAINT "joins_host_id_hosts_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."hosts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "joins" ADD CONSTRAINT "joins_container_id_containers_id_fk" FOREIGN KEY ("container_id") REFERENCES "public"."containers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "joins" ADD CONSTRAINT "joins_network_id_host_id_networks_id_host_id_fk" FOREIGN KEY ("network_id","host_id") REFERENCES "public"."networks"("id","host_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "joins_container" ON "joins" USING btree ("container_id");--> statement-breakpoint
CREATE UNIQUE INDEX "networks_called" ON "networks" USING btree ("owner_id","host_id","called");